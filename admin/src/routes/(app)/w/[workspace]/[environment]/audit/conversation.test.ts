import { expect, test } from "vitest";
import { saidInAnswer, saidInRequest } from "./conversation.ts";

test("a conversation is read from every dialect", () => {
  expect(saidInRequest({
    messages: [
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [{ type: "text", text: "Hi" }, { type: "image_url", image_url: {} }],
      },
      { role: "assistant", content: null, tool_calls: [{ id: "1" }] },
    ],
  })).toEqual([
    { role: "system", text: "Be brief." },
    { role: "user", text: "Hi" },
    { role: "user", other: { type: "image_url", image_url: {} } },
    { role: "assistant calls a tool", other: { id: "1" } },
  ]);
  expect(saidInRequest({ system: "Be brief.", messages: [{ role: "user", content: "Hi" }] }))
    .toEqual([{ role: "system", text: "Be brief." }, { role: "user", text: "Hi" }]);
  expect(saidInRequest({
    instructions: "Be brief.",
    input: [{ role: "user", content: [{ type: "input_text", text: "Hi" }] }],
  })).toEqual([{ role: "instructions", text: "Be brief." }, { role: "user", text: "Hi" }]);
});

test("an answer is read from every dialect", () => {
  const hello = [{ role: "assistant", text: "Hello" }];
  expect(saidInAnswer({ choices: [{ message: { role: "assistant", content: "Hello" } }] }))
    .toEqual(hello);
  expect(saidInAnswer({ type: "message", content: [{ type: "text", text: "Hello" }] }))
    .toEqual(hello);
  expect(saidInAnswer({
    output: [{
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "Hello" }],
    }],
  })).toEqual(hello);
});

test("what is no conversation says nothing and breaks nothing", () => {
  for (const odd of [null, 1, "x", [], {}, { messages: "no" }, { messages: [null, 3] }]) {
    expect(saidInRequest(odd)).toEqual([]);
    expect(saidInAnswer(odd)).toEqual([]);
  }
});
