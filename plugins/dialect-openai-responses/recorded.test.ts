import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnswerContext, Frame, Json, JsonObject, Part } from "@vmx/core/contract";
import { bare, type Case, runCases } from "@vmx/core/conformance";
import { assembleParts, createSseReader, isObject, writeFrame } from "@vmx/core/kit";
import { openaiResponses as dialect } from "./dialect.ts";

const root = process.env["VMX_FIXTURES"] ??
  fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
const folders = ["openai-responses", "azure-openai", "groq"];
const inbound = dialect.inbound!;

interface Recording {
  readonly name: string;
  readonly status: number;
  readonly request?: JsonObject;
  readonly plain?: string;
  readonly stream?: Uint8Array;
}

const context: AnswerContext = {
  operation: "chat",
  requestId: "req-1",
  stream: false,
  now: 1_700_000_000,
  model: "asked-for",
  includeUsage: true,
  family: "openai",
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
      if (!String(meta["path"]).includes("/responses")) return undefined;
      const request = read(folder, "request.json");
      const plain = read(folder, "response.json");
      const stream = read(folder, "response.sse");
      return {
        name: folder,
        status: Number(meta["status"]),
        // Stored prompts may name the model; callers of the gateway always do.
        ...(request ? { request: { model: "unnamed", ...json(request) } } : {}),
        ...(plain ? { plain: Buffer.from(plain).toString() } : {}),
        ...(stream ? { stream: firstOf(stream) } : {}),
      };
    })
  ).filter((recording) => recording !== undefined);
}

/** One recorder put the streams of a whole conversation behind each other: the first of them. */
function firstOf(stream: Uint8Array): Uint8Array {
  const bytes = Buffer.from(stream);
  const second = bytes.indexOf("event: response.created", 1);
  return second < 0 ? stream : bytes.subarray(0, second);
}

function casesOf(recording: Recording): Case[] {
  const { name, request, plain, stream, status } = recording;
  const cases: Case[] = [];
  if (request) {
    cases.push({ name: `${name}: the request keeps its meaning`, run: () => requestCase(request) });
  }
  if (status >= 400) {
    const body = plain ?? "";
    cases.push({ name: `${name}: the error is read`, run: () => errorCase(status, body) });
  } else if (plain) {
    const body = JSON.parse(plain) as JsonObject;
    cases.push({ name: `${name}: the answer encodes back to itself`, run: () => answerCase(body) });
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

function requestCase(request: JsonObject): void {
  if (request["background"] === true) {
    const refused = { code: "operation_not_supported" };
    assert.throws(() => dialect.decodeRequest(request, "chat"), refused);
    return;
  }
  const before = JSON.stringify(request);
  const { value: call, warnings } = dialect.decodeRequest(request, "chat");
  // What only this dialect has is told of as lost to others.
  for (const { path } of warnings) {
    const steps = path.split("/").slice(1);
    const found = steps.reduce<Json | undefined>(
      // Lists are read by their indexes as objects are by their names.
      (value, step) => (value as JsonObject | undefined)?.[step],
      request,
    );
    assert.notEqual(found, undefined, path);
  }
  const written = dialect.encodeRequest(call, { model: call.model, family: "openai" });
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(plainJson(written.value), normalRequest(request));
  assert.equal(JSON.stringify(request), before, "the body was changed");
  assert.ok(inbound.inspect(request, "chat").inputTokens > 0);
  assert.equal(inbound.withoutMarks!(request, "chat").value, request);
}

/** The one equality of requests: a list without tools is none. Everything else must come back as it was. */
function normalRequest(request: JsonObject): JsonObject {
  const { tools, ...rest } = request;
  return plainJson(Array.isArray(tools) && tools.length === 0 ? rest : request);
}

function errorCase(status: number, body: string): void {
  const error = dialect.decodeError(status, body);
  const original = (JSON.parse(body) as JsonObject)["error"] as JsonObject;
  assert.equal(error.recognised, true);
  assert.equal(error.message, original["message"]);
  assert.equal(error.code ?? null, original["code"] ?? null);
  assert.equal(error.type ?? null, original["type"] ?? null);
  assert.equal(error.param ?? null, original["param"] ?? null);
}

function answerCase(body: JsonObject): void {
  if (body["status"] === "queued") {
    const refused = { code: "upstream_invalid_response" };
    assert.throws(() => dialect.decodeResponse(body, "chat"), refused);
    assert.throws(() => dialect.readAnswer(body, "chat"), refused);
    return;
  }
  const { value: parts, warnings } = dialect.decodeResponse(body, "chat");
  // One recorder spelled the status in a way of its own.
  const expected = body["status"] === "complete" ? ["unknown_finish_reason"] : [];
  // What only this dialect has is told of as lost to others.
  const codes = warnings.map(({ code }) => code).filter((code) => code !== "answer_member_dropped");
  assert.deepEqual(codes, expected);
  const written = dialect.encodeResponse(parts, context);
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(plainJson(written.value), plainJson(body));
  withoutNatives(parts);
  const facts = dialect.readAnswer(body, "chat");
  const usage = body["usage"] as JsonObject | undefined;
  assert.equal(facts.tokens?.promptTotal ?? undefined, usage?.["input_tokens"]);
  assert.equal(facts.tokens?.completionTotal ?? undefined, usage?.["output_tokens"]);
  assert.equal(facts.model, body["model"]);
}

/** What a caller is told by an answer of another dialect: the same Parts without their original spellings. */
function withoutNatives(parts: readonly Part[]): void {
  const plain = toldWithoutNatives(parts);
  const again = dialect.decodeResponse(
    plainJson(dialect.encodeResponse(plain, context).value),
    "chat",
  );
  assert.deepEqual(comparable(toldWithoutNatives(again.value)), comparable(plain));
}

/** Citations only their spelling could carry (an id of a file without a name) have nothing left to be told by. */
function toldWithoutNatives(parts: readonly Part[]): Part[] {
  return bare(parts).map((part) =>
    part.type === "start" ? { ...part, id: part.id ?? "", created: part.created ?? 0 } : part
  );
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
  assert.ok(Buffer.concat(out).equals(Buffer.from(stream)), "the bytes differ");
  const facts = tap.facts();
  const events = readEvents(readFrames(stream));
  const end = endOf(events);
  assert.equal(failed, events.some(({ type }) => type === "error" || type === "response.failed"));
  assert.equal(facts.complete, end !== undefined);
  assert.equal(content, end !== undefined);
  if (!end) return;
  const usage = end["usage"] as JsonObject;
  assert.equal(facts.tokens?.promptTotal, usage["input_tokens"]);
  assert.equal(facts.tokens?.completionTotal, usage["output_tokens"]);
  assert.equal(facts.id, end["id"]);
  assert.equal(facts.sequence, events.length);
}

function streamCase(stream: Uint8Array): void {
  const frames = readFrames(stream);
  const events = readEvents(frames);
  const decoder = dialect.streamDecoder();
  const parts = frames.flatMap((frame) => [...decoder.push(frame)]);
  const end = endOf(events);
  if (!end) {
    if (parts.at(-1)?.type === "error") return failedStreamCase(parts, events);
    // A recording of another dialect that lies among these.
    assert.throws(() => decoder.end(), { code: "upstream_invalid_response" });
    return;
  }
  assert.deepEqual(decoder.end(), []);
  const assembled = assembleParts(parts);
  const plain = dialect.decodeResponse(end, "chat").value;
  assert.deepEqual(comparable(bare(assembled)), comparable(bare(plain)));
  assert.deepEqual(
    comparable(plainJson(dialect.encodeResponse(assembled, context).value)),
    comparable(end),
  );
  const encoder = dialect.streamEncoder({ ...context, stream: true });
  const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
  assert.deepEqual(
    written.map((frame) => JSON.parse(frame.data)["sequence_number"]),
    written.map((_, at) => at),
  );
  const again = dialect.streamDecoder();
  const bytes = new TextEncoder().encode(written.map(writeFrame).join(""));
  const back = [...readFrames(bytes).flatMap((frame) => [...again.push(frame)]), ...again.end()];
  assert.deepEqual(plainJson(assembleParts(back)), plainJson(assembled));
  withoutNatives(assembled);
}

function failedStreamCase(parts: readonly { readonly type: string }[], events: JsonObject[]): void {
  const event = events.find(({ type }) => type === "error" || type === "response.failed")!;
  const error = (event["error"] ?? event) as JsonObject;
  const last = parts.at(-1) as Extract<Part, { type: "error" }>;
  assert.equal(last.message, error["message"]);
  assert.equal(last.code, error["code"]);
  assert.equal(last.status, 429);
}

/**
 * What may differ between a stream and the response its last event repeats: a service rounds log probabilities,
 * names the tier only at the end, and encrypts reasoning anew for each event.
 */
function comparable<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, (name, each) => {
    if (name === "logprob" && typeof each === "number") return Math.round(each * 1000) / 1000 || 0;
    if (name === "encrypted" || name === "encrypted_content") return typeof each;
    return name === "serviceTier" ? undefined : each;
  })) as Value;
}

function endOf(events: readonly JsonObject[]): JsonObject | undefined {
  const end = events.find(({ type }) =>
    type === "response.completed" || type === "response.incomplete"
  );
  return isObject(end?.["response"]) ? end["response"] : undefined;
}

function readFrames(stream: Uint8Array): Frame[] {
  const reader = createSseReader();
  return [...reader.push(stream), ...reader.end()];
}

function readEvents(frames: readonly Frame[]): JsonObject[] {
  return frames.filter((frame) => frame.data !== "[DONE]")
    .map((frame) => JSON.parse(frame.data) as Json).filter(isObject);
}

function json(bytes: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonObject;
}

function plainJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
