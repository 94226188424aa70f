import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../contract/index.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/* A warning about a message, a tool or a setting leads to it in the caller's own body, whatever stands before it. */

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const schema = { type: "object", properties: {} };
const image = "data:image/png;base64,aGk=";

/** What each caller sends, and where in it stands what other dialects lose. */
const requests: Readonly<Record<string, { body: JsonObject; lost: readonly string[] }>> = {
  "openai-chat": {
    body: {
      messages: [
        { role: "system", content: "One." },
        { role: "developer", content: "Two." },
        { role: "user", name: "ana", content: "Hello" },
        { role: "assistant", content: "Hello Ana" },
        { role: "system", content: "Be brief." },
        { role: "user", name: "bo", content: "Hi" },
      ],
    },
    lost: ["/messages/2/name", "/messages/5/name"],
  },
  "openai-responses": {
    body: {
      instructions: "Be exact.",
      tools: [{ type: "function", name: "look", parameters: schema }],
      input: [
        { role: "developer", content: "One." },
        { role: "system", content: "Two." },
        { role: "user", content: "Look" },
        { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "b3BhcXVl" },
        { type: "function_call", call_id: "c", name: "look", arguments: "{}" },
        {
          type: "function_call_output",
          call_id: "c",
          output: [{ type: "input_image", image_url: image }],
        },
      ],
    },
    lost: ["/input/3"],
  },
  "anthropic-messages": {
    body: {
      max_tokens: 100,
      system: "Be exact.",
      tools: [{ name: "look", input_schema: schema }],
      messages: [
        { role: "user", content: "Hello" },
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [{
            type: "image",
            source: { type: "base64", media_type: "image/png", data: "aGk=" },
          }],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm", signature: "b3BhcXVl" },
            { type: "tool_use", id: "c", name: "look", input: {} },
          ],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "c", is_error: true, content: "gone" }],
        },
      ],
    },
    lost: ["/messages/3"],
  },
};
const targets = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini-generate-content",
  "bedrock-converse",
];

describe.each(Object.keys(requests))("%s", (caller) => {
  test.each(targets.filter((target) => target !== caller))(
    "finds what a %s leg loses where its warning points",
    async (target) => {
      const { body, lost } = requests[caller]!;
      const [from, to] = await Promise.all(
        [caller, target].map((id) => gateway.host.get("dialects", id)),
      );
      const decoded = from!.decodeRequest({ model: "m", ...body }, "chat");
      const encoded = to!.encodeRequest(decoded.value, { model: "m", family: "of-nobody" });
      const paths = [...decoded.warnings, ...encoded.warnings].map(({ path }) => path);
      for (const path of paths) expect(at(body, path), path).toBeDefined();
      for (const path of lost) {
        expect(paths.some((each) => each.startsWith(path)), `${path} of ${paths.join(" ")}`)
          .toBe(true);
      }
    },
  );
});

/** Settings of each caller that one service or another has no place for, with tools and forms that must be rewritten. */
const union = {
  type: "object",
  properties: { a: { type: "string", format: "uuid", not: {} } },
  oneOf: [{ required: ["a"] }],
};
const settings: Readonly<Record<string, JsonObject>> = {
  "openai-chat": {
    messages: [{ role: "user", content: "Hi" }],
    temperature: 1.7,
    top_p: 0.3,
    top_k: 5,
    frequency_penalty: 1,
    presence_penalty: 1,
    seed: 7,
    logit_bias: { "1": 2 },
    logprobs: true,
    top_logprobs: 2,
    stop: ["a", "b", "c", "d", "e", "f", " "],
    max_completion_tokens: 1_100,
    reasoning_effort: "max",
    response_format: { type: "json_schema", json_schema: { name: "a", schema: union } },
    tools: [{ type: "function", function: { name: "f", strict: true, parameters: union } }],
    web_search_options: {
      search_context_size: "high",
      user_location: { type: "approximate", approximate: { city: "Ulm" } },
    },
    tool_choice: "required",
    parallel_tool_calls: false,
    safety_identifier: "u-1",
    service_tier: "scale",
    metadata: { "odd/key~": "x", other: "ü" },
    prediction: { type: "content", content: "x" },
  },
  "openai-responses": {
    input: "Hi",
    temperature: 1.7,
    top_p: 0.3,
    top_logprobs: 2,
    include: ["web_search_call.results"],
    max_output_tokens: 1_100,
    reasoning: { effort: "xhigh", summary: "auto" },
    text: { format: { type: "json_schema", name: "a", schema: union }, verbosity: "low" },
    tools: [
      {
        type: "web_search",
        search_context_size: "high",
        filters: { allowed_domains: ["a.org"] },
        user_location: { type: "approximate", city: "Ulm" },
      },
      { type: "function", name: "f", strict: true, parameters: union },
    ],
    tool_choice: "required",
    parallel_tool_calls: false,
    user: "u-1",
    service_tier: "scale",
    metadata: { "odd/key~": "x", other: "ü" },
    max_tool_calls: 3,
  },
  "anthropic-messages": {
    messages: [{ role: "user", content: "Hi" }],
    max_tokens: 1_100,
    temperature: 0.7,
    top_p: 0.3,
    top_k: 5,
    stop_sequences: ["a", "b", "c", "d", "e", "f", " "],
    thinking: { type: "enabled", budget_tokens: 1_050, display: "summarized" },
    output_config: { format: { type: "json_schema", schema: union } },
    tools: [
      { type: "web_search_20250305", name: "web_search", max_uses: 2, blocked_domains: ["a.org"] },
      { name: "f", strict: true, input_schema: union },
    ],
    tool_choice: { type: "any", disable_parallel_tool_use: true },
    metadata: { user_id: "u-1" },
    service_tier: "auto",
    container: "c-1",
  },
};

/** Spellings of services and models that take less than others do. */
const profiles: readonly JsonObject[] = [
  { webSearchTool: "nova_grounding" },
  {
    webSearchTool: "nova_grounding",
    thinking: "none",
    reasoning: "none",
    sampling: "none",
    topK: "none",
    toolChoices: [],
    forcedToolUse: false,
    strictTools: false,
    temperatureWithTopP: false,
    penalties: false,
    efforts: { xhigh: null },
    strip: ["logprobs", "temperature", "text", "top_logprobs", "tool_choice", "store", "metadata"],
  },
  { webSearchTool: "nova_grounding", thinking: "enabled", reasoning: "budget", minBudget: 2_000 },
];

describe.each(Object.keys(settings))("settings of %s callers", (caller) => {
  test.each(targets.filter((target) => target !== caller))(
    "that a %s leg loses stand where the warning points",
    async (target) => {
      const [from, to] = await Promise.all(
        [caller, target].map((id) => gateway.host.get("dialects", id)),
      );
      const seen = new Set<string>();
      const variants = [settings[caller]!, ...Object.keys(settings[caller]!).map(without)];
      for (const body of variants) {
        for (const profile of profiles) {
          const decoded = from!.decodeRequest({ model: "m", ...body }, "chat");
          const encoded = to!.encodeRequest(decoded.value, { model: "m", family: "x", profile });
          for (const { code, path } of [...decoded.warnings, ...encoded.warnings]) {
            expect(at(body, path), `${code} ${path}`).toBeDefined();
            seen.add(path);
          }
        }
      }
      expect(seen.size, [...seen].join(" ")).toBeGreaterThan(4);

      /** The same body without one of its members, where it can do without. */
      function without(name: string): JsonObject {
        const { [name]: left, ...rest } = settings[caller]!;
        return /^(messages|input|max_tokens|tools)$/.test(name) ? { ...rest, [name]: left } : rest;
      }
    },
  );
});

function at(value: unknown, pointer: string): unknown {
  const steps = pointer.split("/").slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.reduce<unknown>(
    (found, step) => (found as Record<string, unknown> | undefined)?.[step],
    value,
  );
}
