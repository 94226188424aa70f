import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnswerContext, Frame, Json, JsonObject, Operation, Part } from "@vmx/core/contract";
import { type Case, runCases } from "@vmx/core/conformance";
import { assembleParts, isObject } from "@vmx/core/kit";
import { bedrockConverse as dialect } from "./dialect.ts";

/*
 * Replays recorded traffic. Streams are read here as the events they were decoded to; the provider's own test reads
 * the same recordings from their bytes.
 */
const root = process.env["VMX_FIXTURES"] ??
  fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
const folders = ["bedrock", "bedrock-embeddings"];

interface Recording {
  readonly name: string;
  readonly status: number;
  readonly model: string;
  readonly path: string;
  readonly operation: Operation;
  readonly request?: JsonObject;
  readonly answer?: JsonObject;
  readonly events?: readonly Frame[];
}

await runCases(
  "recorded",
  existsSync(join(root, "wire")) ? recordings().flatMap(casesOf) : [absent()],
);

function absent(): Case {
  const reason = `no recordings at ${root}; set VMX_FIXTURES to their folder`;
  return {
    name: "the recordings are there",
    ...(process.env["CI"] === "true" ? {} : { skip: reason }),
    run: () => assert.fail(reason),
  };
}

function recordings(): Recording[] {
  return folders.flatMap((provider) =>
    readdirSync(join(root, "wire", provider)).map((name): Recording => {
      const read = (file: string): Json | undefined => {
        const path = join(root, "wire", provider, name, file);
        return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) as Json : undefined;
      };
      const meta = read("meta.json") as JsonObject;
      const request = read("request.json") as JsonObject | undefined;
      const answer = read("response.json") as JsonObject | undefined;
      const events = read("response.events.json") as readonly JsonObject[] | undefined;
      return {
        name: join(provider, name),
        status: Number(meta["status"]),
        model: String(meta["model"]),
        path: String(meta["path"]),
        operation: provider === "bedrock" ? "chat" : "embeddings",
        ...(request ? { request } : {}),
        ...(answer ? { answer } : {}),
        ...(events ? { events: events.map(frameOf) } : {}),
      };
    })
  );
}

function frameOf({ headers, payload }: JsonObject): Frame {
  const named = headers as JsonObject;
  const event = named[":event-type"] ?? named[":exception-type"];
  if (event !== undefined) return { event: String(event), data: JSON.stringify(payload) };
  const fault = { code: named[":error-code"]!, message: named[":error-message"]! };
  return { event: "error", data: JSON.stringify(fault) };
}

function casesOf(recording: Recording): Case[] {
  const { name, request, answer, events, status } = recording;
  const cases: Case[] = [];
  if (request) {
    cases.push({
      name: `${name}: the request keeps its meaning`,
      run: () => requestCase(request, recording),
    });
  }
  if (answer) {
    cases.push(
      status >= 400
        ? { name: `${name}: the error is read`, run: () => errorCase(answer, status) }
        : {
          name: `${name}: the answer encodes back to itself`,
          run: () => answerCase(answer, recording),
        },
    );
  }
  if (events) {
    cases.push({
      name: `${name}: the stream encodes back to the same meaning`,
      run: () => streamCase(events),
    });
  }
  return cases;
}

function requestCase(request: JsonObject, { operation, model, path }: Recording): void {
  const before = JSON.stringify(request);
  const { value: call, warnings } = dialect.decodeRequest(request, operation);
  assert.deepEqual(warnings, []);
  const written = dialect.encodeRequest(call, { model, family: "aws-bedrock" });
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(plain(written.value), normalRequest(request));
  assert.equal(JSON.stringify(request), before, "the body was changed");
  const stream = path.endsWith("-stream");
  // Some recorders kept the path unescaped.
  const named = decodeURIComponent(path.split("/").at(-2) ?? "");
  const wanted = dialect.requestPath({ operation, model: named, stream });
  assert.equal(decodeURIComponent(wanted), decodeURIComponent(path));
}

/** The equalities of requests; everything else must come back as it was. */
function normalRequest(request: JsonObject): JsonObject {
  const { messages, inferenceConfig, ...body } = request;
  const out: Record<string, Json> = plain(body) as Record<string, Json>;
  // An empty setting is no setting.
  const settings: Record<string, Json | undefined> = { ...inferenceConfig as JsonObject };
  if (Object.keys(settings).length > 0) out["inferenceConfig"] = settings;
  if ((out["system"] as Json[] | undefined)?.length === 0) delete out["system"];
  if (!Array.isArray(messages)) return out;
  // Neighbouring messages of one side are one message.
  const merged: { role: Json; content: Json[] }[] = [];
  for (const message of messages as readonly JsonObject[]) {
    const last = merged.at(-1);
    const content = message["content"] as Json[];
    if (last && last.role === message["role"]) last.content.push(...content);
    else merged.push({ role: message["role"]!, content: [...content] });
  }
  return { ...out, messages: merged };
}

function errorCase(body: JsonObject, status: number): void {
  const error = dialect.decodeError(status, JSON.stringify(body));
  assert.equal(error.recognised, true);
  assert.equal(error.message, body["message"]);
}

function answerCase(body: JsonObject, { operation, model }: Recording): void {
  const context: AnswerContext = {
    operation,
    requestId: "req-1",
    stream: false,
    now: 1_700_000_000,
    model,
    includeUsage: true,
  };
  const { value: parts, warnings } = dialect.decodeResponse(body, operation);
  assert.deepEqual(warnings, []);
  const written = dialect.encodeResponse(parts, context);
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(plain(written.value), withMetrics(body, operation));
  // What a caller of another dialect is told survives without the original spellings.
  const bare = strip(parts);
  const again = dialect.encodeResponse(bare, context).value;
  assert.deepEqual(strip(dialect.decodeResponse(plain(again), operation).value), bare);
  const facts = dialect.readAnswer(body, operation);
  checkUsage(facts.tokens?.promptTotal, facts.tokens?.completionTotal, body["usage"]);
}

/** Answers of some recorders lack the member the service always sends. */
function withMetrics(body: JsonObject, operation: Operation): JsonObject {
  return operation === "embeddings" || body["metrics"] !== undefined
    ? body
    : { ...body, metrics: { latencyMs: 0 } };
}

function checkUsage(
  prompt: number | null | undefined,
  completion: number | null | undefined,
  usage: Json | undefined,
): void {
  if (!isObject(usage)) return;
  assert.equal((prompt ?? 0) + (completion ?? 0), usage["totalTokens"]);
  assert.equal(completion, usage["outputTokens"]);
}

function streamCase(frames: readonly Frame[]): void {
  const parts = read(frames);
  const failure = frames.find(({ event }) => /exception$|^error$/i.test(event ?? ""));
  if (failure) {
    const last = parts.at(-1);
    assert.equal(last?.type, "error");
    assert.ok(last.message.length > 0 && last.status !== undefined && last.status >= 400);
    return;
  }
  const assembled = assembleParts(parts);
  const context = { ...baseContext, stream: true };
  const encoder = dialect.streamEncoder(context);
  const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
  assert.deepEqual(plain(assembleParts(read(written))), plain(assembled));
  const whole = plain(dialect.encodeResponse(assembled, baseContext).value);
  assert.deepEqual(whole, accumulate(frames));
  assert.deepEqual(
    strip(assembled),
    strip(dialect.decodeResponse(accumulate(frames), "chat").value).map(keepArguments(assembled)),
  );
}

const baseContext: AnswerContext = {
  operation: "chat",
  requestId: "req-1",
  stream: false,
  now: 1_700_000_000,
  model: "asked-for",
  includeUsage: true,
};

/** Argument text of a stream is the model's own; of a plain answer it is the service's. */
function keepArguments(streamed: readonly Part[]): (part: Part) => Part {
  const texts = new Map(
    streamed.flatMap((part) => part.type === "tool-call" ? [[part.id, part.arguments]] : []),
  );
  return (part) => {
    if (part.type !== "tool-call") return part;
    const text = texts.get(part.id) ?? "";
    assert.deepEqual(JSON.parse(part.arguments), JSON.parse(text));
    return { ...part, arguments: text };
  };
}

function read(
  frames: readonly Frame[],
): ReturnType<ReturnType<typeof dialect.streamDecoder>["end"]>[number][] {
  const decoder = dialect.streamDecoder();
  return [...frames.flatMap((frame) => [...decoder.push(frame)]), ...decoder.end()];
}

/** Adds up the events of a stream into the answer they would have been, by no code of the dialect. */
function accumulate(frames: readonly Frame[]): JsonObject {
  const content: Record<string, Json>[] = [];
  let rest: Record<string, Json | undefined> = {};
  const inputs: string[] = [];
  for (const { event, data } of frames) {
    const { p: _padding, contentBlockIndex, ...value } = JSON.parse(data) as JsonObject;
    const at = Number(contentBlockIndex ?? 0);
    if (event === "messageStop" || event === "metadata") rest = { ...rest, ...value };
    if (event === "contentBlockStart") content[at] = structuredClone(value["start"]) as never;
    if (event !== "contentBlockDelta") continue;
    const delta = value["delta"] as JsonObject;
    const block = content[at] ??= {};
    if (delta["text"] !== undefined) block["text"] = String(block["text"] ?? "") + delta["text"];
    if (isObject(delta["toolUse"])) inputs[at] = (inputs[at] ?? "") + delta["toolUse"]["input"];
    if (delta["toolResult"] !== undefined) {
      const own = block["toolResult"] as Record<string, Json>;
      own["content"] = [...(own["content"] as Json[] ?? []), ...delta["toolResult"] as Json[]];
    }
    const reasoning = delta["reasoningContent"];
    if (!isObject(reasoning)) continue;
    if (reasoning["redactedContent"] !== undefined) block["reasoningContent"] = reasoning;
    else {
      const own = (block["reasoningContent"] ??= { reasoningText: { text: "" } }) as JsonObject;
      const spoken = own["reasoningText"] as Record<string, Json>;
      if (reasoning["text"] !== undefined) spoken["text"] = `${spoken["text"]}${reasoning["text"]}`;
      if (reasoning["signature"] !== undefined) spoken["signature"] = reasoning["signature"];
    }
  }
  content.forEach((block, at) => {
    const call = block["toolUse"] as Record<string, Json> | undefined;
    if (call) call["input"] = JSON.parse(inputs[at] ?? "{}");
  });
  return plain({
    ...rest,
    output: { message: { role: "assistant", content: content.filter(() => true) } },
  });
}

/** Removes natives and what only natives can carry. */
function strip(parts: readonly Part[]): Part[] {
  return parts.filter((part) => part.type !== "native").map((part) => {
    const bare: Record<string, unknown> = { ...part };
    delete bare["native"];
    delete bare["raw"];
    // Only members this test knows were taken out.
    return bare as unknown as Part;
  });
}

function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
