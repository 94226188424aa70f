import assert from "node:assert/strict";
import type { Tap, TapResult } from "@vmx/core/contract";
import { type Case, runCases } from "@vmx/core/conformance";
import { openaiChat } from "./dialect.ts";
import { chunkOf, streamOf } from "./examples.ts";

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const usageChunk = { ...chunkOf({}), choices: [], usage };
const open = (keepUsage = true): Tap => openaiChat.inbound!.tap({ keepUsage });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (part: Uint8Array | undefined): string => new TextDecoder().decode(part);
const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const forwarded = (results: readonly TapResult[]): string =>
  results.map(({ forward, endMarker }) => text(forward) + text(endMarker)).join("");

const cases: readonly Case[] = [
  {
    name: "holds the end marker apart",
    run() {
      const tap = open();
      const result = tap.push(bytes(streamOf([chunkOf({ content: "a" }, "stop")])));
      assert.equal(text(result.forward), frame(chunkOf({ content: "a" }, "stop")));
      assert.equal(text(result.endMarker), "data: [DONE]\n\n");
      assert.equal(tap.facts().complete, true);
    },
  },
  {
    name: "removes the usage-only frame when the caller did not ask for it, however it is torn",
    run() {
      const kept = [chunkOf({ content: "a" }), chunkOf({}, "stop")];
      const stream = bytes(streamOf([...kept, usageChunk]));
      for (let size = 1; size <= stream.length; size++) {
        const tap = open(false);
        const results: TapResult[] = [];
        for (let at = 0; at < stream.length; at += size) {
          results.push(tap.push(stream.subarray(at, at + size)));
        }
        results.push(tap.end());
        assert.equal(forwarded(results), streamOf(kept), `chunks of ${size}`);
        assert.equal(tap.facts().tokens?.promptTotal, 3);
      }
    },
  },
  {
    name: "removes nothing when usage came with the last content",
    run() {
      const last = { ...chunkOf({}, "stop"), usage, x_groq: { usage } };
      const stream = streamOf([chunkOf({ content: "a" }), last]);
      const tap = open(false);
      assert.equal(forwarded([tap.push(bytes(stream))]), stream);
      assert.equal(tap.facts().tokens?.completionTotal, 2);
    },
  },
  {
    name: "does not take a first frame without choices for content",
    run() {
      const tap = open();
      const first = { id: "", model: "", choices: [], prompt_filter_results: [{}] };
      const before = tap.push(bytes(frame(first)));
      assert.deepEqual([before.content, before.started], [false, true]);
      const role = tap.push(bytes(frame(chunkOf({ role: "assistant", content: "" }))));
      assert.equal(role.content, false);
      assert.equal(tap.push(bytes(frame(chunkOf({ content: "a" })))).content, true);
      assert.equal(tap.facts().id, "chatcmpl-1");
    },
  },
  ...[
    { content: "a" },
    { tool_calls: [{ index: 0 }] },
    { function_call: { name: "f" } },
    { reasoning: "a" },
    { reasoning_content: "a" },
    { refusal: "a" },
    { audio: { id: "a" } },
  ].map((delta): Case => ({
    name: `takes ${JSON.stringify(delta)} for content`,
    run() {
      assert.equal(open().push(bytes(frame(chunkOf(delta)))).content, true);
    },
  })),
  {
    name: "takes a normal finish without a word for content",
    run() {
      assert.equal(open().push(bytes(frame(chunkOf({}, "stop")))).content, true);
    },
  },
  {
    name: "finds an error frame, before content and after, and forwards its bytes",
    run() {
      const failures = [
        [frame({ error: { message: "Slow down", code: "rate_limit_exceeded" } }), 429],
        ['event: error\ndata: {"message":"Slow down","code":503}\n\n', 503],
        [frame({ ...chunkOf({}), error: { message: "Slow down", code: 502 } }), 502],
      ] as const;
      for (const [failure, status] of failures) {
        for (const before of ["", frame(chunkOf({ content: "a" }))]) {
          const tap = open();
          const results = [tap.push(bytes(before)), tap.push(bytes(failure))];
          assert.equal(results.at(-1)?.error?.message, "Slow down");
          assert.equal(results.at(-1)?.error?.status, status);
          assert.equal(results.at(-1)?.started, before !== "");
          assert.equal(forwarded(results), before + failure);
          assert.equal(tap.facts().complete, false);
        }
      }
    },
  },
  {
    name: "finds the error a service tells in its own member",
    run() {
      const stop = { ...chunkOf({}), x_groq: { id: "req_1", error: "over capacity" } };
      for (const chunks of [[stop], [chunkOf({ content: "a".repeat(80) }), stop]]) {
        const tap = open();
        const results = chunks.map((chunk) => tap.push(bytes(frame(chunk))));
        assert.equal(results.at(-1)?.error?.message, "over capacity");
        assert.equal(tap.facts().complete, false);
        const decoder = openaiChat.streamDecoder();
        const parts = chunks.flatMap((chunk) => decoder.push({ data: JSON.stringify(chunk) }));
        assert.equal(parts.at(-1)?.type, "error");
      }
      const started = { ...chunkOf({ role: "assistant" }), x_groq: { id: "req_1", error: null } };
      assert.equal(open().push(bytes(frame(started))).error, undefined);
    },
  },
  {
    name: "takes the words usage, error and finish_reason in a text for a text",
    run() {
      const tricky =
        'x "usage": {"prompt_tokens": 9}, "error": {"message": "no"}, "finish_reason": "y"';
      const tap = open();
      const stream = [
        chunkOf({ content: "a" }),
        chunkOf({ content: tricky }),
        chunkOf({ content: "usage" }),
      ];
      const result = tap.push(bytes(streamOf(stream, "")));
      assert.equal(result.error, undefined);
      assert.deepEqual([tap.facts().tokens, tap.facts().finishRaw], [undefined, undefined]);
    },
  },
  {
    name: "reads frames with spaces around colons and members in any order",
    run() {
      const tap = open();
      tap.push(bytes(frame(chunkOf({ content: "a" }))));
      tap.push(bytes('data: {"usage" : { "prompt_tokens" : 7 }, "choices" : []}\n\n'));
      tap.push(bytes('data: {"choices" : [ {"finish_reason" : "length", "index" : 0} ]}\n\n'));
      assert.equal(tap.facts().tokens?.promptTotal, 7);
      assert.equal(tap.facts().finish, "length");
    },
  },
  {
    name: "does not call an end marker without a finish an end",
    run() {
      const tap = open();
      tap.push(bytes(streamOf([chunkOf({ content: "a" })])));
      assert.equal(tap.facts().complete, false);
    },
  },
  {
    name: "forgives a missing end marker only when no text follows the last finish",
    run() {
      const other = { ...chunkOf({}), choices: [{ index: 1, delta: { content: "b" } }] };
      const tap = open();
      tap.push(bytes(streamOf([chunkOf({ content: "a" }, "stop")], "")));
      assert.equal(tap.facts().complete, true);
      tap.push(bytes(frame(other)));
      assert.equal(tap.facts().complete, false);
    },
  },
  {
    name:
      "keeps a fragment back when the stream breaks and sends a last frame without a blank line",
    run() {
      const cut = open();
      cut.push(bytes('data: {"choices":[{"del'));
      assert.equal(text(cut.end().forward), "");
      const whole = open();
      whole.push(bytes(frame(chunkOf({ content: "a" }, "stop")) + "data: [DONE]"));
      assert.equal(text(whole.end().endMarker), "data: [DONE]");
      assert.equal(whole.facts().complete, true);
    },
  },
  {
    name: "passes on a frame above the bound as it comes and still learns its finish",
    run() {
      const large = frame(chunkOf({ content: "x".repeat(1_200_000) }, "stop"));
      const stream = bytes(large + "data: [DONE]\n\n");
      const tap = open();
      const results: TapResult[] = [];
      for (let at = 0; at < stream.length; at += 65_536) {
        results.push(tap.push(stream.subarray(at, at + 65_536)));
      }
      results.push(tap.end());
      assert.equal(forwarded(results), large + "data: [DONE]\n\n");
      assert.equal(results.some(({ oversize }) => oversize), true);
      assert.equal(tap.facts().complete, true);
    },
  },
  {
    name: "learns the finish of such a frame wherever it is torn",
    run() {
      const large = bytes(streamOf([chunkOf({ content: "x".repeat(1_100_000) }, "stop")]));
      for (let back = 60; back > 0; back--) {
        const tap = open();
        tap.push(large.subarray(0, large.length - back));
        tap.push(large.subarray(large.length - back));
        tap.end();
        assert.equal(tap.facts().finishRaw, "stop", `torn ${back} bytes before the end`);
      }
    },
  },
  {
    name: "estimates the text that was delivered",
    run() {
      const tap = open();
      const said = 'The quick brown fox \u65e5\u672c\u8a9e "quoted"\n';
      for (const word of said.split(/(?<= )/)) tap.push(bytes(frame(chunkOf({ content: word }))));
      const ascii = said.length - 3;
      const { estimatedOutputTokens } = tap.facts();
      assert.equal(estimatedOutputTokens, Math.ceil(ascii / 4 + 3));
    },
  },
];

await runCases("tap", cases);
