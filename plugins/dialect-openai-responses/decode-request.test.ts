import type { JsonObject } from "@vmx/core/contract";
import { expect, test } from "vitest";
import { openaiResponses as dialect, statefulMembers } from "./dialect.ts";

const inbound = dialect.inbound!;

function decode(body: JsonObject) {
  return dialect.decodeRequest({ model: "m", input: "Go.", ...body }, "chat");
}

test("what the model said in a row is one turn, and so are the results of its calls", () => {
  const { value } = decode({
    input: [
      { role: "user", content: "Weather?" },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAAA" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "Wait." }] },
      { type: "function_call", call_id: "c1", name: "weather", arguments: '{"city":"Köln"}' },
      { type: "function_call", call_id: "c2", name: "weather", arguments: "{" },
      { type: "function_call_output", call_id: "c1", output: "rain" },
      { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "?" }] },
    ],
  });
  expect(value.turns.map(({ role, parts }) => [role, parts.map(({ type }) => type)])).toEqual([
    ["user", ["text"]],
    ["assistant", ["reasoning", "text", "tool-call", "tool-call"]],
    ["tool", ["tool-result", "tool-result"]],
  ]);
});

test("arguments that are not a JSON object are passed on as they are, with a warning", () => {
  const { value, warnings } = decode({
    input: [{ type: "function_call", call_id: "c", name: "f", arguments: "[1]" }],
  });
  expect(value.turns[0]?.parts[0]).toMatchObject({ input: { _raw: "[1]" }, inputText: "[1]" });
  expect(warnings).toMatchObject([
    { code: "tool_arguments_not_json", path: "/input/0/arguments", action: "approximated" },
  ]);
});

test("what is so anyway once a request is translated is no extra", () => {
  const { value } = decode({
    store: false,
    background: false,
    truncation: "disabled",
    stream_options: { include_obfuscation: false },
    include: ["reasoning.encrypted_content"],
    top_logprobs: 0,
    text: { format: { type: "text" } },
    reasoning: { effort: "low", summary: "auto" },
    user: "u1",
  });
  expect(value.extras).toEqual({});
  expect(value).toMatchObject({ user: "u1", reasoning: { effort: "low", summary: "auto" } });
});

test("members that name stored state are extras and are told apart", () => {
  const body: JsonObject = {
    model: "m",
    previous_response_id: "resp_1",
    conversation: "conv_1",
    prompt: { id: "pmpt_1" },
    input: [
      { type: "item_reference", id: "msg_1" },
      { role: "user", content: [{ type: "input_file", file_id: "file-1" }] },
      {
        type: "function_call_output",
        call_id: "c",
        output: [{ type: "input_image", file_id: "file-2" }],
      },
    ],
    tools: [
      { type: "file_search", vector_store_ids: ["vs_1"] },
      { type: "code_interpreter", container: "cntr_1" },
      { type: "code_interpreter", container: { type: "auto" } },
    ],
  };
  expect(inbound.providerState!(body, "chat")).toEqual({
    previousAnswerId: "resp_1",
    storesAnswer: true,
    paths: [
      "/previous_response_id",
      "/conversation",
      "/prompt",
      "/input/0",
      "/input/1/content/0/file_id",
      "/input/2/output/0/file_id",
      "/tools/0/vector_store_ids",
      "/tools/1/container",
    ],
  });
  const { value } = dialect.decodeRequest(body, "chat");
  expect(Object.keys(value.extras).sort()).toEqual([...statefulMembers].sort());
  expect(inbound.providerState!({ model: "m", input: "x", store: false }, "chat")).toEqual({
    paths: [],
    storesAnswer: false,
  });
});

test.each<[JsonObject, string]>([
  [{ model: "" }, "model"],
  [{ input: undefined }, "input"],
  [{ input: [] }, "input"],
  [{ input: 7 }, "input"],
  [{ input: ["x"] }, "input[0]"],
  [{ input: [{ content: "x" }] }, "input[0].role"],
  [{ input: [{ role: "ghost", content: "x" }] }, "input[0].role"],
  [{ input: [{ type: 7 }] }, "input[0].type"],
  [{ stream: "yes" }, "stream"],
  [{ tool_choice: { type: "function", name: "absent" } }, "tool_choice"],
  [{
    tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "a" }] },
  }, "tool_choice"],
])("%j is refused by the member's name", (body, param) => {
  expect(() => decode(body)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
});

test("a choice may name a tool that a namespace or a server brings", () => {
  const { value } = decode({
    tools: [{ type: "namespace", name: "n", tools: [] }],
    tool_choice: { type: "function", name: "inside" },
  });
  expect(value.toolChoice).toEqual({ type: "tool", name: "inside" });
});

test("input may be absent where an earlier response or a prompt stands for it", () => {
  for (const member of [{ previous_response_id: "resp_1" }, { prompt: { id: "p" } }]) {
    inbound.validate({ model: "m", ...member }, "chat");
    const { value } = dialect.decodeRequest({ model: "m", ...member }, "chat");
    expect(dialect.encodeRequest(value, { model: "m", family: "openai" }).value).toEqual({
      model: "m",
      ...member,
    });
  }
});

test("a request to run in the background is refused", () => {
  expect(() => inbound.validate({ model: "m", input: "x", background: true }, "chat"))
    .toThrow(expect.objectContaining({ code: "operation_not_supported", param: "background" }));
});

test("routing sees the conversation whichever items it is made of", () => {
  const facts = inbound.inspect({
    model: "m",
    stream: true,
    instructions: "Be brief.",
    max_output_tokens: 9,
    input: [
      { role: "developer", content: "And kind." },
      {
        role: "user",
        content: [{ type: "input_text", text: "Look" }, {
          type: "input_image",
          image_url: "https://example.org/a.png",
        }],
      },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      {
        type: "function_call_output",
        call_id: "c",
        output: [{ type: "input_file", file_id: "file-1" }],
      },
    ],
    tools: [{ type: "web_search" }],
  }, "chat");
  expect(facts).toMatchObject({
    stream: true,
    system: "Be brief.\n\nAnd kind.",
    toolsCount: 1,
    hasImages: true,
    hasFiles: true,
    maxOutputTokens: 9,
    messages: [{ role: "user", content: "Look" }, { role: "tool", content: "" }],
  });
  expect(facts.inputTokens).toBeGreaterThan(2500);
});
