import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import process from "node:process";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

/* Every recorded chat answer, replayed to the official SDK through the gateway, over both base URLs. */

const folder = process.env["VMX_FIXTURES"] ??
  fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
const recordings = `${folder}/wire/openai-chat`;
const present = existsSync(recordings);
if (!present && process.env["CI"]) throw new Error(`The recordings are missing: ${recordings}`);

let gateway: TestGateway;
let upstream: ScriptedUpstream;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([startTestGateway(), startScriptedUpstream()]);
  const replay = gateway.snapshot.setConnection("replay", "openai-compatible", {
    config: upstream.config,
  });
  gateway.snapshot.setResource("recorded", {
    connectionId: replay.connectionId,
    provider: replay.provider,
    model: "recorded-model",
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const cases = present ? readdirSync(recordings).filter(isHealthy) : [];

test.skipIf(!present)("there are recordings to replay", () => {
  expect(cases.length).toBeGreaterThan(50);
});

test.each(cases)("%s reaches the SDK as it was recorded", async (name) => {
  const meta = read(name, "meta.json");
  const body = readFileSync(`${recordings}/${name}/${meta.body}`);
  upstream.answer = (_request, response) => {
    response.writeHead(200, {
      "content-type": meta.stream ? "text/event-stream" : "application/json",
    });
    response.end(body);
  };
  const sent = meta.has_request
    ? read(name, "request.json")
    : { messages: [{ role: "user", content: "hi" }] };
  for (const baseURL of [gateway.baseURL, gateway.longBaseURL]) {
    const client = new OpenAI({ apiKey: gateway.apiKey, baseURL, maxRetries: 0 });
    const request = { ...sent, model: "recorded", stream: meta.stream };
    if (meta.stream) {
      const stream = await client.chat.completions.create(
        request as OpenAI.Chat.ChatCompletionCreateParamsStreaming,
      );
      const chunks: unknown[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const recorded = frames(body.toString("utf8"));
      const asked = sent["stream_options"]?.include_usage === true;
      expect(chunks).toEqual(asked ? recorded : recorded.filter((chunk) => !isUsageOnly(chunk)));
    } else {
      const completion = await client.chat.completions.create(
        request as OpenAI.Chat.ChatCompletionCreateParamsNonStreaming,
      );
      const { vmx, ...own } = completion as unknown as Record<string, unknown>;
      expect(own).toEqual(JSON.parse(body.toString("utf8")));
      expect(vmx).toBeDefined();
    }
  }
});

// deno-lint-ignore no-explicit-any -- recordings are looked into freely
function read(name: string, file: string): any {
  return JSON.parse(readFileSync(`${recordings}/${name}/${file}`, "utf8"));
}

/** Whole answers of status 200: errors and broken streams have suites of their own. */
function isHealthy(name: string): boolean {
  const meta = read(name, "meta.json");
  const broken = ["midstream-error", "truncated-stream"];
  return meta.status === 200 && !broken.some((each) => meta.categories.includes(each));
}

function frames(text: string): Record<string, unknown>[] {
  return text.split(/\r?\n\r?\n/).map((frame) => frame.replace(/^data: ?/, "").trim())
    .filter((data) => data.startsWith("{")).map((data) => JSON.parse(data));
}

function isUsageOnly(chunk: Record<string, unknown>): boolean {
  return Array.isArray(chunk["choices"]) && chunk["choices"].length === 0 &&
    typeof chunk["usage"] === "object" && chunk["usage"] !== null;
}
