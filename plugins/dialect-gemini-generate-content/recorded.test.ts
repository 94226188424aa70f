import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnswerContext, Frame, Json, JsonObject, Operation, Part } from "@vmx/core/contract";
import { type Case, runCases } from "@vmx/core/conformance";
import { assembleParts, createSseReader, isObject, mergeObjects, writeFrame } from "@vmx/core/kit";
import { geminiGenerateContent as dialect } from "./dialect.ts";
import { createJsonArrayFramer } from "./json-array.ts";

const root = process.env["VMX_FIXTURES"] ??
  fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
const folders = ["google", "google-vertex", "google-embeddings"];

interface Recording {
  readonly name: string;
  readonly status: number;
  readonly operation: Operation;
  readonly request?: JsonObject;
  readonly plain?: Uint8Array;
  readonly stream?: Uint8Array;
  /** True when the stream is one JSON array. */
  readonly array?: boolean;
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
  return folders.flatMap((provider) =>
    readdirSync(join(root, "wire", provider)).map((name): Recording => {
      const read = (file: string): Uint8Array | undefined => {
        const path = join(root, "wire", provider, name, file);
        return existsSync(path) ? readFileSync(path) : undefined;
      };
      const meta = json(read("meta.json")!);
      const request = read("request.json");
      const plain = read("response.json");
      const sse = read("response.sse");
      const array = (meta["categories"] as Json[]).includes("json-array-stream");
      const stream = array ? plain : sse;
      return {
        name: `${provider}/${name}`,
        status: Number(meta["status"]),
        operation: provider.endsWith("embeddings") ? "embeddings" : "chat",
        ...(request ? { request: json(request) } : {}),
        ...(plain && !array ? { plain } : {}),
        ...(stream ? { stream, array } : {}),
      };
    })
  );
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
  if (status >= 400 && plain) {
    cases.push({ name: `${name}: the error is read`, run: () => errorCase(recording) });
  } else if (plain) {
    cases.push({
      name: `${name}: the answer encodes back to itself`,
      run: () => answerCase(json(plain), recording),
    });
  }
  if (stream) {
    cases.push({
      name: `${name}: the stream adds up to the answer`,
      run: () => streamCase(stream, recording),
    });
    for (const size of [1, 37]) {
      cases.push({
        name: `${name}: the frames survive chunks of ${size} bytes`,
        run: () =>
          assert.deepEqual(readFrames(stream, recording, size), readFrames(stream, recording)),
      });
    }
  }
  return cases;
}

function requestCase(request: JsonObject, { operation }: Recording): void {
  const before = JSON.stringify(request);
  const { value: call, warnings } = dialect.decodeRequest(request, operation);
  assert.deepEqual(warnings, []);
  const written = dialect.encodeRequest(call, { model: call.model || "m", family: "gemini" });
  assert.deepEqual(written.warnings, []);
  assert.equal(JSON.stringify(request), before, "the body was changed");
  assert.deepEqual(normalRequest(plainJson(written.value)), normalRequest(request));
}

/** Members that hold what callers named themselves: schemas, arguments, results, labels. */
const verbatim = new Set([
  "args",
  "response",
  "parameters",
  "parametersJsonSchema",
  "responseSchema",
  "responseJsonSchema",
  "labels",
]);

/**
 * The equalities of requests; everything else must come back as it was. Both spellings of a member are equal, the
 * model stands in the path, a lone object stands for a list of one, and functions declared apart for ones declared
 * together.
 */
function normalRequest(request: JsonObject): JsonObject {
  const body = camelDeep(request) as Record<string, Json>;
  delete body["model"];
  for (const [name, value] of Object.entries(body)) {
    if (isObject(value) && Object.keys(value).length === 0) delete body[name];
    if (Array.isArray(value) && value.length === 0) delete body[name];
  }
  const system = body["systemInstruction"];
  if (isObject(system) && isObject(system["parts"])) {
    body["systemInstruction"] = { ...system, parts: [system["parts"]] };
  }
  const tools = body["tools"];
  if (Array.isArray(tools)) {
    const functions = (tools as JsonObject[]).flatMap((tool) =>
      (tool["functionDeclarations"] ?? []) as Json[]
    );
    const others = (tools as JsonObject[]).flatMap((tool) =>
      Object.entries(tool).filter(([name]) => name !== "functionDeclarations")
        .map(([name, value]): JsonObject => ({ [name]: value }))
    );
    body["tools"] = [...others, ...functions];
  }
  return body;
}

function camelDeep(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return (value as Json[]).map((each) => camelDeep(each)!);
  if (!isObject(value)) return value;
  const out: Record<string, Json> = {};
  for (const [name, each] of Object.entries(value)) {
    const spelled = name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
    out[spelled] = verbatim.has(spelled) ? each! : camelDeep(each)!;
  }
  return out;
}

function errorCase({ plain, status }: Recording): void {
  const body = Buffer.from(plain!).toString();
  const error = dialect.decodeError(status, body);
  const original = json(plain!)["error"] as JsonObject;
  assert.equal(error.recognised, true);
  assert.equal(error.message, original["message"]);
  assert.equal(error.type, original["status"]);
  assert.ok(error.code);
}

function answerCase(body: JsonObject, { operation }: Recording): void {
  const [first] = (body["candidates"] ?? []) as JsonObject[];
  if (first && !first["finishReason"] && !(first["content"] as JsonObject | undefined)?.["parts"]) {
    const refused = { code: "upstream_invalid_response" };
    assert.throws(() => dialect.decodeResponse(body, operation), refused);
    assert.throws(() => dialect.readAnswer(body, operation), refused);
    return;
  }
  const { value: parts, warnings } = dialect.decodeResponse(body, operation);
  assert.deepEqual(warnings, []);
  const written = dialect.encodeResponse(parts, { ...context, operation });
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(normalAnswer(plainJson(written.value)), normalAnswer(body));
  withoutNatives(parts, operation);
  checkFacts(body, parts, operation);
}

function checkFacts(body: JsonObject, parts: readonly Part[], operation: Operation): void {
  const facts = dialect.readAnswer(body, operation);
  const usage = body["usageMetadata"] as JsonObject | undefined;
  assert.deepEqual(facts.tokens, parts.find((part) => part.type === "usage")?.tokens);
  assert.deepEqual(facts.finish, parts.find((part) => part.type === "finish")?.reason);
  assert.equal(facts.model, body["modelVersion"]);
  if (usage?.["promptTokenCount"] === undefined) return;
  const tools = Number(usage["toolUsePromptTokenCount"] ?? 0);
  assert.equal(facts.tokens?.promptTotal, Number(usage["promptTokenCount"]) + tools);
  assert.equal(facts.tokens?.inputCacheRead ?? undefined, usage["cachedContentTokenCount"]);
  assert.equal(facts.tokens?.reasoning ?? undefined, usage["thoughtsTokenCount"]);
  const total = usage["totalTokenCount"];
  if (total === undefined || operation === "embeddings") return;
  assert.equal((facts.tokens?.promptTotal ?? 0) + (facts.tokens?.completionTotal ?? 0), total);
}

/**
 * The equalities of answers: candidates are counted and of the model, arguments default to none, empty texts say
 * nothing, a signature may follow its text in a part of its own.
 */
function normalAnswer(body: JsonObject): JsonObject {
  if (body["embeddings"]) return body;
  const candidates = body["candidates"];
  const whole = { responseId: context.requestId, modelVersion: context.model, ...body };
  if (!Array.isArray(candidates)) return whole;
  return {
    ...whole,
    candidates: (candidates as JsonObject[]).map((candidate, at) => {
      const content = isObject(candidate["content"]) ? candidate["content"] : {};
      const parts = ((content["parts"] ?? []) as JsonObject[]).map((part): JsonObject => {
        const call = part["functionCall"];
        return isObject(call) ? { ...part, functionCall: { args: {}, ...call } } : part;
      });
      const said = parts.filter((part) => part["text"] !== "" || part["thoughtSignature"]);
      return {
        index: at,
        ...candidate,
        content: { role: "model", parts: said.length > 0 ? said : parts },
      };
    }),
  };
}

/** What a caller is told by an answer of another dialect: the same Parts without their original spellings. */
function withoutNatives(parts: readonly Part[], operation: Operation): void {
  const bare = strip(parts);
  const again = strip(
    dialect.decodeResponse(
      plainJson(dialect.encodeResponse(bare, { ...context, operation }).value),
      operation,
    ).value,
  );
  assert.deepEqual(again, bare);
}

/** Removes natives and what only natives can carry, and what an answer that lacks it is given. */
function strip(parts: readonly Part[]): Part[] {
  return parts.filter((part) => part.type !== "native").map((part) => {
    const { native: _native, ...rest } = part as Part & { native?: unknown };
    const bare: Record<string, unknown> = { ...rest };
    delete bare["raw"];
    if (part.type === "start") {
      bare["id"] ??= context.requestId;
      bare["model"] ??= context.model;
    }
    if (part.type === "tool-call" && part.id.startsWith("call_vmx")) bare["id"] = "made up";
    // Only members this test knows were taken out.
    return bare as unknown as Part;
  });
}

function streamCase(stream: Uint8Array, recording: Recording): void {
  const frames = readFrames(stream, recording);
  const chunks = frames.map((frame) => JSON.parse(frame.data) as JsonObject);
  const decoder = dialect.streamDecoder();
  const decode = (): readonly Part[] => {
    const parts = [...frames.flatMap((frame) => [...decoder.push(frame)]), ...decoder.end()];
    if (chunks.some((chunk) => isObject(chunk["error"]))) {
      assert.equal(parts.at(-1)?.type, "error");
      const encoder = dialect.streamEncoder({ ...context, stream: true });
      const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
      assert.deepEqual(JSON.parse(written.at(-1)!.data), chunks.at(-1));
      return [];
    }
    const assembled = assembleParts(parts);
    const encoder = dialect.streamEncoder({ ...context, stream: true });
    const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
    const again = dialect.streamDecoder();
    const bytes = new TextEncoder().encode(written.map(writeFrame).join(""));
    const back = readFrames(bytes, {}).flatMap((frame) => [...again.push(frame)]);
    assert.deepEqual(
      named(assembleParts([...back, ...again.end()])),
      named(assembled),
    );
    return assembled;
  };
  if (!isWhole(chunks)) {
    assert.throws(decode, { code: "upstream_invalid_response" });
    return;
  }
  const assembled = decode();
  if (assembled.length === 0) return;
  const plain = accumulate(chunks);
  assert.deepEqual(said(assembled), said(dialect.decodeResponse(plain, "chat").value));
  withoutNatives(assembled, "chat");
}

/** An answer without an id or a model is given them when it is written. */
function named(parts: readonly Part[]): unknown {
  return plainJson(parts).map((part) =>
    part.type === "start" ? { id: context.requestId, model: context.model, ...part } : part
  ).map((part) =>
    part.type === "tool-call" ? { ...part, id: part.id.replace(/^call_vmx.{16}/, "") } : part
  );
}

/** A stream is whole when every candidate ended, the prompt was refused, or an error came. */
function isWhole(chunks: readonly JsonObject[]): boolean {
  const ended = new Map<Json, boolean>();
  for (const chunk of chunks) {
    if (isObject(chunk["error"])) return true;
    if (isObject(chunk["promptFeedback"]) && chunk["promptFeedback"]["blockReason"]) return true;
    for (const candidate of (chunk["candidates"] ?? []) as JsonObject[]) {
      const index = candidate["index"] ?? 0;
      ended.set(index, ended.get(index) || candidate["finishReason"] !== undefined);
    }
  }
  return ended.size > 0 && [...ended.values()].every(Boolean);
}

/** Texts, reasoning, calls, sources, usage and ends, without how they were cut. */
function said(parts: readonly Part[]): unknown {
  const told = strip(parts).map((part) => {
    if (part.type === "start") return { type: part.type, id: part.id, model: part.model };
    return part;
  });
  const joined: Record<string, unknown>[] = [];
  for (const part of plainJson(told) as unknown as Record<string, unknown>[]) {
    const last = joined.at(-1);
    const same = last && last["type"] === part["type"] && last["signature"] === undefined;
    if ((part["type"] === "text" || part["type"] === "reasoning") && same) {
      Object.assign(last, part, { text: `${last["text"]}${part["text"]}` });
    } else joined.push({ ...part });
  }
  return joined;
}

/** Adds up the chunks of a stream into the answer they would have been, by no code of the dialect. */
function accumulate(chunks: readonly JsonObject[]): JsonObject {
  let whole: JsonObject = {};
  const candidates: Record<string, Json>[] = [];
  for (const { candidates: elements, ...head } of chunks) {
    const { createTime: _time, ...later } = head;
    whole = mergeObjects(whole, whole["responseId"] ? later : head);
    for (const element of (elements ?? []) as JsonObject[]) {
      const index = Number(element["index"] ?? 0);
      const candidate = candidates[index] ??= { index, content: { role: "model", parts: [] } };
      const { content, index: _index, ...rest } = element;
      const parts = (candidate["content"] as JsonObject)["parts"] as Json[];
      for (const part of (isObject(content) ? content["parts"] ?? [] : []) as JsonObject[]) {
        addPart(parts, part);
      }
      for (const [name, value] of Object.entries(rest)) {
        if (value === undefined || value === null) continue;
        const before = candidate[name];
        if (name === "citationMetadata" && isObject(before) && isObject(value)) {
          const [member = ""] = Object.keys(value);
          const all = [...before[member] as Json[], ...value[member] as Json[]];
          const distinct = new Map(all.map((each) => [JSON.stringify(each), each]));
          candidate[name] = { [member]: [...distinct.values()] };
        } else if (!isObject(value) || Object.keys(value).length > 0) candidate[name] = value;
      }
    }
  }
  return plainJson({ ...whole, ...(candidates.length > 0 ? { candidates } : {}) });
}

function addPart(parts: Json[], part: JsonObject): void {
  const last = parts.at(-1) as Record<string, Json> | undefined;
  const text = part["text"];
  const joins = last && typeof text === "string" && typeof last["text"] === "string" &&
    (last["thought"] ?? false) === (part["thought"] ?? false) && !last["thoughtSignature"];
  const call = part["functionCall"];
  const open = last?.["functionCall"] as Record<string, Json> | undefined;
  if (joins) Object.assign(last, part, { text: `${last["text"]}${text}` });
  else if (isObject(call) && open?.["willContinue"] === true && call["name"] === undefined) {
    const args = { ...open["args"] as JsonObject } as Record<string, Json>;
    for (const piece of (call["partialArgs"] ?? []) as JsonObject[]) {
      const value = piece["stringValue"] ?? piece["numberValue"] ?? null;
      const steps = String(piece["jsonPath"]).match(/[^$.[\]]+/g)!;
      let at = args;
      steps.forEach((name, depth) => {
        const next = steps[depth + 1];
        if (next !== undefined) {
          at = (at[name] ??= /^\d+$/.test(next) ? [] : {}) as Record<string, Json>;
        } else at[name] = typeof value === "string" ? `${at[name] ?? ""}${value}` : value;
      });
    }
    open["args"] = args;
    if (call["willContinue"] !== true) delete open["willContinue"];
  } else parts.push(structuredClone(part) as Json);
}

function readFrames(
  stream: Uint8Array,
  { array }: Pick<Recording, "array">,
  size = stream.length,
): Frame[] {
  const reader = array ? createJsonArrayFramer() : createSseReader();
  const frames: Frame[] = [];
  for (let at = 0; at < stream.length; at += size) {
    frames.push(...reader.push(stream.subarray(at, at + size)));
  }
  return [...frames, ...reader.end()];
}

function json(bytes: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonObject;
}

function plainJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
