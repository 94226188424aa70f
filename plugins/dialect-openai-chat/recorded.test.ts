import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnswerContext, Frame, Json, JsonObject, Part } from "@vmx/core/contract";
import { type Case, runCases } from "@vmx/core/conformance";
import { assembleParts, createSseReader, isObject, mergeObjects, writeFrame } from "@vmx/core/kit";
import { openaiChat as dialect } from "./dialect.ts";

const root = process.env["VMX_FIXTURES"] ??
  fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
const folders = ["openai-chat", "azure-openai", "groq", "openai-embeddings"];
const inbound = dialect.inbound!;

interface Recording {
  readonly name: string;
  readonly status: number;
  readonly operation: "chat" | "embeddings";
  readonly request?: JsonObject;
  readonly plain?: Uint8Array;
  readonly stream?: Uint8Array;
  /** A body that is not JSON. */
  readonly text?: string;
}

const context: AnswerContext = {
  operation: "chat",
  requestId: "req-1",
  stream: false,
  now: 1_700_000_000,
  model: "asked-for",
  includeUsage: true,
};

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
  const read = (folder: string, name: string): Uint8Array | undefined => {
    const path = join(root, "wire", folder, name);
    return existsSync(path) ? readFileSync(path) : undefined;
  };
  return folders.flatMap((provider) =>
    readdirSync(join(root, "wire", provider)).map((name): Recording | undefined => {
      const folder = join(provider, name);
      const meta = json(read(folder, "meta.json")!);
      if (String(meta["path"]).includes("/responses")) return undefined;
      const request = read(folder, "request.json");
      const text = read(folder, "response.txt");
      const plain = read(folder, "response.json");
      const stream = read(folder, "response.sse");
      return {
        name: folder,
        status: Number(meta["status"]),
        operation: provider.endsWith("embeddings") ? "embeddings" : "chat",
        // Deployments name their model in the path.
        ...(request ? { request: { model: "deployment", ...json(request) } } : {}),
        ...(plain ? { plain } : {}),
        ...(stream ? { stream } : {}),
        ...(text ? { text: Buffer.from(text).toString() } : {}),
      };
    })
  ).filter((recording) => recording !== undefined);
}

function casesOf(recording: Recording): Case[] {
  const { name, request, plain, stream, status } = recording;
  const cases: Case[] = [];
  if (request) {
    cases.push({
      name: `${name}: the request keeps its meaning`,
      run: () => requestCase(request, recording),
    });
  }
  if (status >= 400) {
    cases.push({ name: `${name}: the error is read`, run: () => errorCase(recording) });
  } else if (plain) {
    cases.push({
      name: `${name}: the answer encodes back to itself`,
      run: () => answerCase(json(plain), recording),
    });
  }
  if (stream && status < 400) {
    for (const size of [1, 37, stream.length]) {
      cases.push({
        name: `${name}: the stream passes byte-equal in chunks of ${size}`,
        run: () => tapCase(stream, size),
      });
    }
    cases.push({
      name: `${name}: the stream encodes back to the same meaning`,
      run: () => streamCase(stream),
    });
  }
  return cases;
}

/** Requests this dialect's services refuse for their own shape. */
function isRefused(request: JsonObject): boolean {
  return Array.isArray(request["messages"]) && request["messages"].length === 0;
}

function requestCase(request: JsonObject, { operation }: Recording): void {
  if (isRefused(request)) {
    assert.throws(() => dialect.decodeRequest(request, operation), { code: "invalid_request" });
    return;
  }
  const before = JSON.stringify(request);
  const { value: call, warnings } = dialect.decodeRequest(request, operation);
  assert.deepEqual(warnings, []);
  const written = dialect.encodeRequest(call, { model: call.model, family: "openai" });
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(plainJson(written.value), normalRequest(request, operation));
  assert.equal(JSON.stringify(request), before, "the body was changed");
  assert.ok(inbound.inspect(request, operation).inputTokens > 0);
  inbound.validate(request, operation);
}

/** The equalities of requests; everything else must come back as it was. */
function normalRequest(request: JsonObject, operation: string): JsonObject {
  const body: Record<string, Json | undefined> = { ...request };
  // A setting of null is no setting; `stream: false` is the default.
  for (const [name, value] of Object.entries(body)) if (value === null) delete body[name];
  if (body["stream"] === false) delete body["stream"];
  if (operation === "embeddings") {
    const { input } = body;
    // One text stands for a list of one, one token array for a list of one.
    if (Array.isArray(input) && input.length === 1) body["input"] = (input as Json[])[0];
    if (typeof body["input"] === "number") body["input"] = [body["input"]];
    if (body["encoding_format"] === "invalid_format") delete body["encoding_format"];
    return plainJson(body);
  }
  if (body["max_tokens"] !== undefined) {
    body["max_completion_tokens"] ??= body["max_tokens"];
    delete body["max_tokens"];
  }
  if (body["user"] !== undefined && body["safety_identifier"] === undefined) {
    body["safety_identifier"] = body["user"];
    delete body["user"];
  }
  if (typeof body["stop"] === "string") body["stop"] = [body["stop"]];
  // Usage is always asked for.
  if (body["stream"] === true) {
    body["stream_options"] = { ...body["stream_options"] as JsonObject, include_usage: true };
  }
  return plainJson(body);
}

function errorCase({ plain, text, status }: Recording): void {
  const raw = plain ? Buffer.from(plain).toString() : text ?? "";
  const error = dialect.decodeError(status, raw);
  assert.ok(error.message.length > 0);
  assert.equal(error.recognised, plain !== undefined);
  if (!plain) return;
  const original = json(plain)["error"] as JsonObject;
  assert.equal(error.message, original["message"]);
  assert.equal(error.code ?? null, original["code"] ?? null);
  assert.equal(error.type ?? null, original["type"] ?? null);
  assert.equal(error.param ?? null, original["param"] ?? null);
}

function answerCase(body: JsonObject, { operation }: Recording): void {
  const { value: parts, warnings } = dialect.decodeResponse(body, operation);
  assert.deepEqual(warnings, []);
  const call = operation === "embeddings" && typeof vectorOf(body) === "string"
    ? dialect.decodeRequest({ model: "m", input: "x", encoding_format: "base64" }, operation).value
    : undefined;
  const target = { ...context, operation, ...(call ? { call } : {}) };
  const written = dialect.encodeResponse(parts, target);
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(plainJson(written.value), body);
  withoutNatives(parts, operation);
  const facts = dialect.readAnswer(body, operation);
  const usage = body["usage"] as JsonObject | undefined;
  assert.equal(facts.tokens?.promptTotal ?? undefined, usage?.["prompt_tokens"]);
  assert.equal(facts.model, body["model"]);
}

function vectorOf(body: JsonObject): Json | undefined {
  const [first] = body["data"] as readonly JsonObject[];
  return first?.["embedding"];
}

/** What a caller is told by an answer of another dialect: the same Parts without their original spellings. */
function withoutNatives(parts: readonly Part[], operation: "chat" | "embeddings"): void {
  const bare = strip(parts);
  const again = strip(
    dialect.decodeResponse(
      plainJson(dialect.encodeResponse(bare, { ...context, operation }).value),
      operation,
    ).value,
  );
  assert.deepEqual(again, bare);
}

/**
 * Removes natives and what only natives can carry: legacy call ids, spellings of a reason, foreign kinds. A plain
 * answer has one place for the service tier, whenever it was told.
 */
function strip(parts: readonly Part[]): Part[] {
  const tier = parts.find((part) => part.type === "usage")?.serviceTier;
  return parts.filter((part) => part.type !== "native").map((part) => {
    const { native: _native, ...rest } = part as Part & { native?: unknown };
    const bare: Record<string, unknown> = { ...rest };
    delete bare["raw"];
    if (part.type === "usage") delete bare["serviceTier"];
    if (part.type === "start" && tier !== undefined) bare["serviceTier"] = tier;
    if (part.type === "tool-call" && part.id.startsWith("call_function_")) bare["id"] = "legacy";
    // Only members this test knows were taken out.
    return bare as unknown as Part;
  });
}

function tapCase(stream: Uint8Array, size: number): void {
  const tap = inbound.tap({ keepUsage: true });
  const out: Uint8Array[] = [];
  let content = false;
  let failed = false;
  for (let at = 0; at < stream.length; at += size) {
    const result = tap.push(stream.subarray(at, at + size));
    out.push(result.forward);
    if (result.endMarker) out.push(result.endMarker);
    content ||= result.content;
    failed ||= result.error !== undefined;
  }
  const last = tap.end();
  out.push(last.forward);
  if (last.endMarker) out.push(last.endMarker);
  const relayed = Buffer.concat(out);
  const facts = tap.facts();
  const frames = readFrames(stream);
  const broken = frames.some((frame) => !isComplete(frame));
  if (broken) {
    assert.ok(Buffer.from(stream).subarray(0, relayed.length).equals(relayed));
    assert.equal(facts.complete, false);
    return;
  }
  assert.ok(relayed.equals(Buffer.from(stream)), "the bytes differ");
  assert.equal(content, true);
  const chunks = readChunks(frames);
  assert.equal(failed, chunks.some((chunk) => isObject(chunk["error"])));
  assert.equal(facts.complete, !failed);
  const usage = chunks.map(usageOf).findLast((each) => each !== undefined);
  assert.equal(facts.tokens?.promptTotal, usage?.["prompt_tokens"]);
  assert.equal(facts.tokens?.completionTotal, usage?.["completion_tokens"]);
  assert.equal(facts.id, chunks.map((chunk) => chunk["id"]).find(Boolean));
}

function streamCase(stream: Uint8Array): void {
  const frames = readFrames(stream);
  const decoder = dialect.streamDecoder();
  if (frames.some((frame) => !isComplete(frame))) {
    assert.throws(() => [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()], {
      code: "upstream_invalid_response",
    });
    return;
  }
  const parts = [...frames.flatMap((frame) => [...decoder.push(frame)]), ...decoder.end()];
  const chunks = readChunks(frames);
  const error = chunks.find((chunk) => isObject(chunk["error"]));
  if (error) {
    const last = parts.at(-1);
    assert.equal(last?.type, "error");
    const encoder = dialect.streamEncoder({ ...context, stream: true });
    const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
    assert.deepEqual(JSON.parse(written.at(-1)!.data), error);
    return;
  }
  const assembled = assembleParts(parts);
  assert.deepEqual(
    plainJson(dialect.encodeResponse(assembled, context).value),
    accumulate(chunks),
  );
  const encoder = dialect.streamEncoder({ ...context, stream: true });
  const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
  const again = dialect.streamDecoder();
  const bytes = new TextEncoder().encode(written.map(writeFrame).join(""));
  const back = [...readFrames(bytes).flatMap((frame) => [...again.push(frame)]), ...again.end()];
  assert.deepEqual(plainJson(assembleParts(back)), plainJson(assembled));
  withoutNatives(assembled, "chat");
}

/** Adds up the chunks of a stream into the answer they would have been, by no code of the dialect. */
function accumulate(chunks: readonly JsonObject[]): JsonObject {
  let whole: Record<string, Json | undefined> = {};
  const choices: Record<string, Json | undefined>[] = [];
  for (const { choices: elements, usage, obfuscation: _padding, ...head } of chunks) {
    for (const [name, value] of Object.entries(head)) {
      if (!whole[name] || isObject(value)) whole = mergeObjects(whole, { [name]: value ?? null });
    }
    if (isObject(usage)) whole["usage"] = usage;
    for (const element of elements as readonly JsonObject[]) {
      const index = element["index"] as number;
      const choice = choices[index] ??= { index, message: { role: "assistant" } };
      addUp(choice["message"] as Record<string, Json>, element["delta"] as JsonObject);
      const { delta: _delta, index: _index, logprobs, ...rest } = element;
      if (logprobs !== undefined) choice["logprobs"] = addLogprobs(choice["logprobs"], logprobs);
      for (const [name, value] of Object.entries(rest)) {
        if (value !== null || !(name in choice)) {
          choice[name] = isObject(value) && isObject(choice[name])
            ? mergeObjects(choice[name] as JsonObject, value)
            : value;
        }
      }
    }
  }
  whole["usage"] ??= (whole["x_groq"] as JsonObject | undefined)?.["usage"];
  return plainJson({ ...whole, object: "chat.completion", choices: choices as Json });
}

function addUp(message: Record<string, Json>, delta: JsonObject): void {
  for (const [name, value] of Object.entries(delta)) {
    const before = message[name];
    if (name === "role" || value === undefined) continue;
    if (name === "tool_calls") {
      const calls = (message[name] ??= []) as Record<string, Json>[];
      for (const { index, ...call } of value as readonly JsonObject[]) {
        const known = calls[index as number];
        if (!known) {
          calls[index as number] = structuredClone(call) as Record<string, Json>;
          continue;
        }
        const own = known["function"] as Record<string, Json>;
        own["arguments"] = String(own["arguments"] ?? "") +
          String((call["function"] as JsonObject)["arguments"] ?? "");
      }
    } else if (typeof value === "string" && typeof before === "string" && name !== "channel") {
      message[name] = before + value;
    } else if (value !== null || before === undefined) message[name] = value;
  }
}

function addLogprobs(before: Json | undefined, after: Json): Json {
  if (!isObject(after)) return before ?? after;
  const content = isObject(before) ? before["content"] : undefined;
  return {
    ...after,
    content: [...(content as Json[] | undefined ?? []), ...after["content"] as Json[]],
  };
}

function usageOf(chunk: JsonObject): JsonObject | undefined {
  if (isObject(chunk["usage"])) return chunk["usage"];
  const own = (chunk["x_groq"] as JsonObject | undefined)?.["usage"];
  return isObject(own) ? own : undefined;
}

function readFrames(stream: Uint8Array): Frame[] {
  const reader = createSseReader();
  return [...reader.push(stream), ...reader.end()];
}

function readChunks(frames: readonly Frame[]): JsonObject[] {
  return frames.filter((frame) => frame.data !== "[DONE]").map((frame) => JSON.parse(frame.data));
}

function isComplete(frame: Frame): boolean {
  if (frame.data === "[DONE]") return true;
  try {
    JSON.parse(frame.data);
    return true;
  } catch {
    return false;
  }
}

function json(bytes: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonObject;
}

function plainJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
