import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

/* What of an answer has no place in the caller's dialect is told in the answer, in the stream and on record. */

let gateway: TestGateway;
let upstream: ScriptedUpstream;

const legs = {
  "anthropic-messages": "anthropic",
  "openai-responses": "openai-compatible",
  "openai-chat": "openai-compatible",
  "gemini-generate-content": "gemini",
} as const;
type Leg = keyof typeof legs;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([startTestGateway(), startScriptedUpstream()]);
  const { baseUrl, apiKey } = upstream.config;
  for (const [leg, provider] of Object.entries(legs)) {
    const config = provider === "openai-compatible"
      ? { baseUrl, apiKey, dialects: [leg] }
      : { baseUrl, apiKey };
    const { connectionId } = gateway.snapshot.setConnection(leg, provider, { config });
    gateway.snapshot.setResource(leg, createSlot({ connectionId, provider, model: "up-1" }));
  }
});
afterAll(() => Promise.all([gateway.stop(), upstream.stop()]));

interface Lost {
  readonly code: string;
  readonly path: string;
  readonly detail: string;
}

/** Asks a leg for its scripted answer and gives back what is told of losses: to the caller, and on record. */
async function lossesOf(caller: string, leg: Leg, stream: boolean) {
  const members = { messages: [{ role: "user", content: "hi" }], max_tokens: 10 };
  const path = caller === "openai-chat"
    ? "/chat/completions"
    : caller === "openai-responses"
    ? "/responses"
    : "/messages";
  const response = await fetch(gateway.baseURL + path, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify({
      model: leg,
      ...(caller === "openai-responses" ? { input: "hi" } : members),
      ...(stream ? { stream } : {}),
      vmx: { includeMetrics: true },
    }),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const told: Lost[] = stream ? metricsOf(text).warnings : JSON.parse(text).vmx.warnings;
  const recorded = gateway.outcomes.at(-1)!.exchange.legs[0]!.warnings;
  return { told, recorded, text };
}

/** The metrics of a stream: the chunk with them, or the comment line. */
function metricsOf(text: string): { readonly warnings: Lost[] } {
  const [, comment] = /^: vmx (.*)$/m.exec(text) ?? [];
  if (comment !== undefined) return JSON.parse(comment);
  const chunks = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data!));
  return chunks.find((chunk) => chunk.vmx)?.vmx;
}

function script(leg: Leg, plain: object, frames: readonly object[]): void {
  upstream.answer = (request, response, body) => {
    const streamed = JSON.parse(body).stream === true || /stream/i.test(request.url!);
    if (!streamed) {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(plain));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of frames) {
      const type = "type" in frame ? `event: ${frame.type}\n` : "";
      response.write(`${type}data: ${JSON.stringify(frame)}\n\n`);
    }
    response.end(leg === "openai-chat" ? "data: [DONE]\n\n" : "");
  };
}

const usage = { input_tokens: 1, output_tokens: 1 };

/** An answer whose provider ran tools: what each leg says, and what a caller of another dialect cannot be shown. */
const ranTools: Readonly<
  Partial<Record<Leg, { plain: object; frames: readonly object[]; lost: Record<string, string[]> }>>
> = {
  "anthropic-messages": (() => {
    const called = {
      type: "server_tool_use",
      id: "s1",
      name: "code_execution",
      input: { code: "1" },
    };
    const result = {
      type: "code_execution_tool_result",
      tool_use_id: "s1",
      content: {
        type: "code_execution_result",
        stdout: "1",
        stderr: "",
        return_code: 0,
        content: [],
      },
    };
    const message = { id: "a", type: "message", role: "assistant", model: "up-1", usage };
    const { input: _input, ...opened } = called;
    return {
      plain: {
        ...message,
        content: [called, result, { type: "text", text: "One" }],
        stop_reason: "end_turn",
        stop_sequence: null,
      },
      frames: [
        { type: "message_start", message: { ...message, content: [] } },
        { type: "content_block_start", index: 0, content_block: { ...opened, input: {} } },
        {
          type: "content_block_delta",
          index: 0,
          delta: { type: "input_json_delta", partial_json: '{"code":"1"}' },
        },
        { type: "content_block_stop", index: 0 },
        { type: "content_block_start", index: 1, content_block: result },
        { type: "content_block_stop", index: 1 },
        { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "One" } },
        { type: "content_block_stop", index: 2 },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
        { type: "message_stop" },
      ],
      lost: {
        "openai-chat": ["code_execution", "code_execution_tool_result"],
        "openai-responses": ["code_execution", "code_execution_tool_result"],
      },
    };
  })(),
  "openai-responses": (() => {
    const items = [
      {
        type: "web_search_call",
        id: "ws",
        status: "completed",
        action: { type: "search", query: "q" },
      },
      {
        type: "code_interpreter_call",
        id: "ci",
        status: "completed",
        code: "1",
        container_id: "c",
        outputs: [],
      },
      {
        type: "computer_call",
        id: "cu",
        call_id: "cu",
        status: "completed",
        actions: [],
        pending_safety_checks: [],
      },
      { type: "file_search_call", id: "fs", status: "completed", queries: [], results: null },
      {
        type: "message",
        id: "m",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: "One", annotations: [] }],
      },
    ];
    const kinds = ["web_search_call", "code_interpreter_call", "computer_call", "file_search_call"];
    const shell = { id: "r", object: "response", created_at: 1, model: "up-1" };
    const response = {
      ...shell,
      status: "completed",
      output: items,
      usage: { ...usage, total_tokens: 2 },
    };
    return {
      plain: response,
      frames: [
        { type: "response.created", response: { ...shell, status: "in_progress", output: [] } },
        ...items.flatMap((item, output_index) => [
          {
            type: "response.output_item.added",
            output_index,
            item: { ...item, status: "in_progress" },
          },
          { type: "response.output_item.done", output_index, item },
        ]),
        { type: "response.completed", response },
      ],
      lost: { "openai-chat": kinds, "anthropic-messages": kinds },
    };
  })(),
  "gemini-generate-content": (() => {
    const parts = [
      { executableCode: { language: "PYTHON", code: "1" } },
      { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } },
      { text: "One" },
    ];
    const answer = {
      candidates: [{ content: { role: "model", parts }, finishReason: "STOP", index: 0 }],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
      modelVersion: "up-1",
      responseId: "g",
    };
    const kinds = ["executableCode", "codeExecutionResult"];
    return {
      plain: answer,
      frames: [answer],
      lost: { "openai-chat": kinds, "openai-responses": kinds, "anthropic-messages": kinds },
    };
  })(),
};

describe.each(Object.keys(ranTools) as (keyof typeof ranTools)[])(
  "tools a %s provider ran by itself",
  (leg) => {
    const { plain, frames, lost } = ranTools[leg]!;
    const cases = Object.keys(lost).flatMap((caller) =>
      [false, true].map((stream) => [caller, stream ? "streamed" : "plain"] as const)
    );
    test.each(cases)("are told of to %s callers, %s", async (caller, form) => {
      script(leg, plain, frames);
      const { told, recorded, text } = await lossesOf(caller, leg, form === "streamed");
      expect(text).toContain("One");
      expect(told.map(({ detail }) => detail)).toEqual(lost[caller]);
      for (const warning of told) {
        expect(warning).toMatchObject({ code: "answer_part_dropped", action: "dropped" });
        expect(warning.path).toMatch(/^\/(choices\/0\/message|output|content\/\d)$/);
      }
      expect(recorded).toEqual(told);
    });
  },
);

test.each([false, true])(
  "arguments that are no JSON are told of to Messages callers, stream: %s",
  async (stream) => {
    const tool_calls = [{
      index: 0,
      id: "c",
      type: "function",
      function: { name: "f", arguments: '{"a":' },
    }];
    const head = { id: "c", object: "chat.completion", created: 1, model: "up-1" };
    const finish_reason = "tool_calls";
    const message = { role: "assistant", content: null, tool_calls };
    script("openai-chat", { ...head, choices: [{ index: 0, message, finish_reason }] }, [
      { ...head, choices: [{ index: 0, delta: { tool_calls }, finish_reason: null }] },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason }] },
    ]);
    const { told, recorded, text } = await lossesOf("anthropic-messages", "openai-chat", stream);
    expect(text).toContain('{\\"a\\":');
    expect(told).toMatchObject([
      { code: "tool_arguments_not_json", path: "/content/0/input", action: "approximated" },
    ]);
    expect(recorded).toEqual(told);
  },
);

/** What a stream tells last, of each leg, and how. */
const late: Readonly<Partial<Record<Leg, readonly object[]>>> = {
  "gemini-generate-content": [
    { candidates: [{ content: { role: "model", parts: [{ text: "One" }] }, index: 0 }] },
    {
      candidates: [{
        finishReason: "STOP",
        index: 0,
        groundingMetadata: { searchEntryPoint: { renderedContent: "told-late" } },
      }],
    },
  ],
  "openai-chat": [
    { id: "c", model: "up-1", choices: [{ index: 0, delta: { content: "One" } }] },
    { id: "c", model: "up-1", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
    { id: "c", model: "up-1", choices: [], search_results: [{ url: "told-late" }] },
  ],
  "anthropic-messages": [
    { type: "message_start", message: { id: "a", model: "up-1", content: [], usage } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "One" } },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", container: { id: "told-late" } },
      usage: { output_tokens: 1 },
    },
    { type: "message_stop" },
  ],
};

describe.each(Object.keys(late) as (keyof typeof late)[])("the end of a %s stream", (leg) => {
  test.each(["openai-chat", "openai-responses", "anthropic-messages"].filter((id) => id !== leg))(
    "brings %s callers what has no counterpart under its own name",
    async (caller) => {
      script(leg, {}, late[leg]!);
      const { told, text } = await lossesOf(caller, leg, true);
      expect(text).toContain("told-late");
      expect(told).toEqual([]);
    },
  );
});
