import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createAnswerHomes } from "./provider-state.ts";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

let gateway: TestGateway;
let first: ScriptedUpstream;
let second: ScriptedUpstream;

beforeAll(async () => {
  [gateway, first, second] = await Promise.all([
    startTestGateway(),
    startScriptedUpstream(),
    startScriptedUpstream(),
  ]);
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([first.stop(), second.stop()]);
});

beforeEach(() => {
  for (const upstream of [first, second]) {
    upstream.requests.length = 0;
    upstream.answer = (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({
        id: upstream === first ? "resp_first" : "resp_second",
        object: "response",
        created_at: 1,
        status: "completed",
        model: "m",
        output: [{
          id: "msg_1",
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "hi", annotations: [] }],
        }],
        usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
      }));
    };
  }
  const config = (upstream: ScriptedUpstream, dialect: string) => ({
    config: { ...upstream.config, dialects: [dialect] },
  });
  const one = gateway.snapshot.setConnection(
    "one",
    "openai-compatible",
    config(first, "openai-responses"),
  );
  const two = gateway.snapshot.setConnection(
    "two",
    "openai-compatible",
    config(second, "openai-responses"),
  );
  const chat = gateway.snapshot.setConnection(
    "chat",
    "openai-compatible",
    config(second, "openai-chat"),
  );
  const slot = (connection: { connectionId: string }) =>
    createSlot({ connectionId: connection.connectionId, provider: "openai-compatible" });
  gateway.snapshot.setResource("starts-at-one", slot(one));
  gateway.snapshot.setResource("prefers-two", slot(two), { fallbackModels: [slot(one)] });
  gateway.snapshot.setResource("only-two", slot(two));
  gateway.snapshot.setResource("only-chat", slot(chat));
});

async function ask(body: object) {
  const response = await fetch(`${gateway.baseURL}/responses`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify({ input: "hi", ...body }),
  });
  return { response, body: await response.json() };
}

test("a request that goes on from an answer goes to the connection that made it", async () => {
  await ask({ model: "starts-at-one" });
  const { response, body } = await ask({
    model: "prefers-two",
    previous_response_id: "resp_first",
  });
  expect(body.id).toBe("resp_first");
  expect(second.requests).toHaveLength(0);
  expect(response.headers.get("x-vmx-event-0-fallback-failure-reason")).toBe("State not portable");
  expect(JSON.parse(first.requests.at(-1)!.body).previous_response_id).toBe("resp_first");
});

test("an answer nobody remembers, or whose home is not among the legs, is the provider's business", async () => {
  await ask({ model: "prefers-two", previous_response_id: "resp_unknown" });
  expect(second.requests).toHaveLength(1);
  await ask({ model: "starts-at-one" });
  const { body } = await ask({ model: "only-two", previous_response_id: "resp_first" });
  expect(body.id).toBe("resp_second");
});

test("an answer the provider was told not to store has no home", async () => {
  first.answer = (_request, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({
      id: "resp_forgotten",
      object: "response",
      status: "completed",
      model: "m",
      output: [],
    }));
  await ask({ model: "starts-at-one", store: false });
  await ask({ model: "prefers-two", previous_response_id: "resp_forgotten" });
  expect(second.requests).toHaveLength(1);
});

test.each([
  { previous_response_id: "resp_first" },
  { conversation: "conv_1" },
  { prompt: { id: "pmpt_1" } },
])("what a provider stores cannot be told to another language: %j", async (state) => {
  const { response, body } = await ask({ model: "only-chat", ...state });
  expect(response.status).toBe(400);
  expect(body.error.code).toBe("state_not_portable");
  expect(second.requests).toHaveLength(0);
});

test("a state that does not answer in time makes the id unknown, and its failures are nobody's", async () => {
  const never = createAnswerHomes(() => new Promise(() => {}), 20);
  expect(await never.find("e", "a")).toBeUndefined();
  const broken = createAnswerHomes(() => Promise.reject(new Error("away")), 20);
  expect(await broken.find("e", "a")).toBeUndefined();
  broken.note("e", "a", "c");
});
