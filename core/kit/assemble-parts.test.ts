import { expect, test } from "vitest";
import type { StreamPart } from "../contract/part.ts";
import { assembleParts } from "./assemble-parts.ts";

test("blocks grow by their deltas, in the order they were opened", () => {
  const stream: StreamPart[] = [
    { type: "start", id: "a" },
    { type: "block-start", index: 0, block: { type: "reasoning", choice: 0, text: "" } },
    {
      type: "block-start",
      index: 1,
      block: { type: "tool-call", choice: 0, id: "c", name: "f", arguments: "" },
    },
    { type: "block-delta", index: 1, text: '{"a":' },
    { type: "block-delta", index: 0, text: "th" },
    { type: "block-delta", index: 0, text: "ink", signature: "s1" },
    { type: "block-delta", index: 0, signature: "s2", encrypted: "e" },
    { type: "block-end", index: 0 },
    { type: "block-delta", index: 1, text: "1}" },
    { type: "block-end", index: 1 },
    { type: "finish", choice: 0, reason: "tool-use" },
  ];
  expect(assembleParts(stream)).toEqual([
    { type: "start", id: "a" },
    { type: "reasoning", choice: 0, text: "think", signature: "s2", encrypted: "e" },
    { type: "tool-call", choice: 0, id: "c", name: "f", arguments: '{"a":1}' },
    { type: "finish", choice: 0, reason: "tool-use" },
  ]);
});

test("usage stands before the finish and log probabilities add up", () => {
  const tokens = {
    inputUncached: 1,
    inputCacheRead: null,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output: 1,
    reasoning: null,
    audioInput: null,
    audioOutput: null,
  };
  const stream: StreamPart[] = [
    { type: "block-start", index: 7, block: { type: "text", choice: 0, text: "a" } },
    { type: "block-delta", index: 7, text: "b", logprobs: [1] },
    { type: "block-delta", index: 7, logprobs: [2] },
    { type: "block-delta", index: 8, text: "of no block" },
    { type: "finish", choice: 0, reason: "end" },
    { type: "usage", tokens },
  ];
  expect(assembleParts(stream)).toEqual([
    { type: "text", choice: 0, text: "ab", logprobs: [1, 2] },
    { type: "usage", tokens },
    { type: "finish", choice: 0, reason: "end" },
  ]);
});

test("an error stays at the end", () => {
  expect(assembleParts([{ type: "start" }, { type: "error", message: "broken" }])).toEqual([
    { type: "start" },
    { type: "error", message: "broken" },
  ]);
});
