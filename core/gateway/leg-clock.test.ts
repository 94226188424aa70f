import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SlotView } from "../store/snapshot.ts";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

let gateway: TestGateway;
let upstream: ScriptedUpstream;
let scripted: string;
let echo: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  upstream = await startScriptedUpstream();
  scripted = gateway.snapshot
    .setConnection("scripted", "openai-compatible", { config: upstream.config }).connectionId;
  echo = gateway.snapshot.setConnection("spare", "echo").connectionId;
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const frame = (content: string) =>
  `data: ${
    JSON.stringify({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }],
    })
  }\n\n`;

/** Answers a stream whose pieces come after the pauses given, in milliseconds. */
function answerWith(pieces: readonly (readonly [pauseMs: number, text: string])[]): void {
  upstream.answer = async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    for (const [pauseMs, text] of pieces) {
      await delay(pauseMs);
      response.write(text);
    }
    response.end();
  };
}

async function ask(tuning: Partial<SlotView>) {
  gateway.snapshot.setResource(
    "timed",
    { connectionId: scripted, provider: "openai-compatible", model: "m", ...tuning },
    { fallbackModels: [createSlot({ connectionId: echo, provider: "echo", model: "echo" })] },
  );
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify({
      model: "timed",
      stream: true,
      messages: [{ role: "user", content: "spared" }],
    }),
  });
  return { text: await response.text(), headers: response.headers };
}

const end = "data: [DONE]\n\n";

test("a leg whose content does not begin in time falls back, although bytes arrive", async () => {
  const emptyFrames = Array.from({ length: 20 }, () => [40, frame("")] as const);
  answerWith([...emptyFrames, [0, frame("late")], [0, end]]);
  const { text, headers } = await ask({ firstTokenTimeoutMs: 150 });
  expect(text).toContain("spared");
  expect(headers.get("x-vmx-event-0-fallback-failure-reason")).toBe("Timed out");
  expect(headers.get("x-vmx-event-0-fallback-status-code")).toBe("504");
});

test("a leg that begins in time may take as long as it likes afterwards", async () => {
  const finish = frame("").replace('"finish_reason":null', '"finish_reason":"stop"');
  answerWith([[0, frame("on")], [300, frame(" time")], [0, finish], [0, end]]);
  const { text, headers } = await ask({ firstTokenTimeoutMs: 200 });
  expect(text).toContain(" time");
  expect(headers.get("x-vmx-event-count")).toBeNull();
});

test("a leg that falls silent before content falls back", async () => {
  answerWith([[0, ": hello\n\n"], [2_000, end]]);
  const { text } = await ask({ idleTimeoutMs: 150 });
  expect(text).toContain("spared");
  expect(gateway.outcomes.at(-1)!.exchange.legs[0]).toMatchObject({
    outcome: "failed",
    errorCode: "leg_timeout",
    errorMessage: 'Model "m" sent nothing for 150 ms',
  });
});

test("a leg that never answers falls back when its idle time is over", async () => {
  upstream.answer = () => {};
  expect((await ask({ idleTimeoutMs: 150 })).text).toContain("spared");
});

test("a stream that falls silent after content ends with an error frame", async () => {
  answerWith([[0, frame("begun")], [2_000, end]]);
  const { text } = await ask({ idleTimeoutMs: 150 });
  expect(text).toContain("begun");
  expect(text).toContain("leg_timeout");
  expect(text).not.toContain("[DONE]");
});

test("pauses shorter than the idle time add up to any length", async () => {
  const finish = frame("").replace('"finish_reason":null', '"finish_reason":"stop"');
  const pieces = Array.from({ length: 5 }, (_, index) => [60, frame(`${index}`)] as const);
  answerWith([...pieces, [0, finish], [0, end]]);
  const { text } = await ask({ idleTimeoutMs: 200 });
  expect(text).toContain("[DONE]");
});
