import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../contract/index.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/* A warning about a message leads to that message in the caller's own body, whatever stands before it. */

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

function at(value: unknown, pointer: string): unknown {
  return pointer.split("/").slice(1).reduce<unknown>(
    (found, step) => (found as Record<string, unknown> | undefined)?.[step],
    value,
  );
}
