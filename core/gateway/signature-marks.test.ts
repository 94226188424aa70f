import { afterAll, beforeAll, expect, test } from "vitest";
import { markSignature } from "../kit/index.ts";
import {
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

let gateway: TestGateway;
let upstream: ScriptedUpstream;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([startTestGateway(), startScriptedUpstream()]);
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const id = markSignature("call_1", "c2lnbmF0dXJl");
const body = {
  model: "marked",
  messages: [
    { role: "user", content: "weather?" },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id, type: "function", function: { name: "weather", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: id, content: "sunny" },
  ],
};

test.each([
  ["its own dialect", ["openai-chat"]],
  ["another dialect", ["anthropic-messages"]],
  ["a third dialect", ["openai-responses"]],
])(
  "a signature one service hid in a tool-call id is not shown to a service of %s",
  async (_name, dialects) => {
    const connection = gateway.snapshot.setConnection("marked", "openai-compatible", {
      config: { ...upstream.config, dialects },
    });
    gateway.snapshot.setResource("marked", {
      connectionId: connection.connectionId,
      provider: connection.provider,
    });
    upstream.requests.length = 0;
    upstream.answer = (_request, response) => response.writeHead(503).end();
    await fetch(`${gateway.baseURL}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.apiKey}` },
      body: JSON.stringify(body),
    });
    expect(upstream.requests[0]!.body).toContain('"call_1"');
    expect(upstream.requests[0]!.body).not.toContain("vmxsig");
  },
);
