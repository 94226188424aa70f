import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

/* What is lost while a stream is translated reaches the record, and the caller who asked for metrics. */

let gateway: TestGateway;
let upstream: ScriptedUpstream;
/** Breaks the upstream's connection in the middle of a stream for the model `broken`. */
let breakOff: () => void;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([startTestGateway(), startScriptedUpstream()]);
  upstream.answer = (_request, response, body) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = (choice: object) =>
      `data: ${
        JSON.stringify({ id: "c-1", model: "up-1", choices: [{ index: 0, ...choice }] })
      }\n\n`;
    response.write(chunk({ delta: { content: "Hello" } }));
    if (JSON.parse(body).model === "broken") {
      breakOff = () => response.destroy();
      response.write(chunk({ delta: { content: [{ type: "hologram" }] } }));
      response.write(chunk({ delta: { content: "Goodbye" } }));
    } else {
      response.write(chunk({ delta: {}, finish_reason: "tired" }));
      response.end("data: [DONE]\n\n");
    }
  };
  const { connectionId, provider } = gateway.snapshot.setConnection("up", "openai-compatible", {
    config: { ...upstream.config, dialects: ["openai-chat"] },
  });
  const slot = createSlot({ connectionId, provider, model: "up-1" });
  gateway.snapshot.setResource("m", slot);
  gateway.snapshot.setResource("broken", { ...slot, model: "broken" });
  gateway.snapshot.setResource("quiet", slot, { onLoss: "allow" });
});

afterAll(() => Promise.all([gateway.stop(), upstream.stop()]));

function ask(path: string, body: object): Promise<Response> {
  return fetch(`${gateway.baseURL}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify({ model: "m", stream: true, ...body }),
  });
}

async function stream(path: string, body: object): Promise<string> {
  return await (await ask(path, body)).text();
}

const message = { max_tokens: 10, messages: [{ role: "user", content: "hi" }] };
const tired = {
  code: "unknown_finish_reason",
  path: "/choices/0/finish_reason",
  action: "approximated",
  detail: "tired",
};

test.each([
  ["/messages", message, "message_stop"],
  ["/responses", { input: "hi" }, "response.completed"],
])("%s tells of a finish reason nobody knows", async (path, body, end) => {
  const text = await stream(path, { ...body, vmx: { includeMetrics: true } });
  expect(text).toContain(end);
  const [, metrics = "{}"] = /^: vmx (.*)$/m.exec(text) ?? [];
  expect(JSON.parse(metrics).warnings).toEqual([tired]);
  const { exchange } = gateway.outcomes.at(-1)!;
  expect(exchange.legs[0]!.warnings).toEqual([tired]);
});

test("a resource that allows losses has them on record alone", async () => {
  const vmx = { includeMetrics: true };
  const text = await stream("/messages", { ...message, model: "quiet", vmx });
  const [, metrics = "{}"] = /^: vmx (.*)$/m.exec(text) ?? [];
  expect(JSON.parse(metrics).warnings).toEqual([]);
  expect(gateway.outcomes.at(-1)!.exchange.legs[0]!.warnings).toEqual([tired]);
});

test("what a stream had lost when it broke off is on record", async () => {
  const before = gateway.outcomes.length;
  const answer = await ask("/messages", { ...message, model: "broken" });
  let text = "";
  for await (const bytes of answer.body!) {
    text += Buffer.from(bytes).toString("utf8");
    if (text.includes("Goodbye")) breakOff();
  }
  expect(text).toContain("event: error");
  await expect.poll(() => gateway.outcomes.length).toBe(before + 1);
  const { status, exchange } = gateway.outcomes.at(-1)!;
  expect(status).toBe("partial");
  expect(exchange.legs[0]!.warnings).toMatchObject([
    { code: "answer_part_dropped", path: "/content/1", detail: "content" },
  ]);
});
