import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Case, runCases } from "@vmx/core/conformance";
import type { AnswerContext, Frame, Json, JsonObject, Part } from "@vmx/core/contract";
import { assembleParts, createSseReader, isObject, writeFrame } from "@vmx/core/kit";
import { anthropicMessages as dialect } from "./dialect.ts";

const root = process.env["VMX_FIXTURES"] ??
  fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
const folders = ["anthropic", "bedrock-invoke"];
const inbound = dialect.inbound!;

interface Recording {
  readonly name: string;
  readonly status: number;
  readonly model: string;
  readonly request?: JsonObject;
  readonly plain?: Uint8Array;
  readonly stream?: Uint8Array;
  /** Frames of a binary framing, decoded. */
  readonly frames?: readonly Frame[];
}

const context: AnswerContext = {
  operation: "chat",
  requestId: "req-1",
  stream: false,
  now: 1_700_000_000,
  model: "asked-for",
  includeUsage: true,
  family: "anthropic",
};

await runCases(
  "recorded",
  existsSync(join(root, "wire")) ? [...recordings().flatMap(casesOf), modelsCase()] : [absent()],
);

function absent(): Case {
  const reason = `no recordings at ${root}; set VMX_FIXTURES to their folder`;
  return {
    name: "the recordings are there",
    ...(process.env["CI"] === "true" ? {} : { skip: reason }),
    run: () => assert.fail(reason),
  };
}

function read(folder: string, name: string): Uint8Array | undefined {
  const path = join(root, "wire", folder, name);
  return existsSync(path) ? readFileSync(path) : undefined;
}

function recordings(): Recording[] {
  return folders.flatMap((provider) =>
    readdirSync(join(root, "wire", provider)).map((name): Recording => {
      const folder = join(provider, name);
      const meta = json(read(folder, "meta.json")!);
      const request = read(folder, "request.json");
      const plain = read(folder, "response.json");
      const stream = read(folder, "response.sse");
      const events = read(folder, "response.events.json");
      return {
        name: folder,
        status: Number(meta["status"]),
        model: String(meta["model"]),
        ...(request ? { request: json(request) } : {}),
        ...(plain ? { plain } : {}),
        ...(stream ? { stream } : {}),
        ...(events ? { frames: readEvents(events) } : {}),
      };
    })
  );
}

/** InvokeModel wraps each event into base64 (Bedrock, `PayloadPart`). */
function readEvents(bytes: Uint8Array): Frame[] {
  const events = JSON.parse(Buffer.from(bytes).toString()) as readonly JsonObject[];
  return events.map((event) => {
    const payload = event["payload"] as JsonObject;
    return { data: Buffer.from(String(payload["bytes"]), "base64").toString() };
  });
}

function casesOf(recording: Recording): Case[] {
  const { name, request, plain, stream, frames, status } = recording;
  const cases: Case[] = [];
  if (request) {
    cases.push({
      name: `${name}: the request keeps its meaning`,
      ...isTextCompletion(request),
      run: () => requestCase(request, recording),
    });
  }
  if (status >= 400) {
    cases.push({ name: `${name}: the error is read`, run: () => errorCase(recording) });
  } else if (plain) {
    cases.push({
      name: `${name}: the answer encodes back to itself`,
      ...isTextCompletion(json(plain)),
      run: () => answerCase(json(plain)),
    });
  }
  if (stream && status < 400) {
    for (const size of [1, 37, stream.length]) {
      cases.push({
        name: `${name}: the stream passes byte-equal in chunks of ${size}`,
        run: () => tapCase(stream, size),
      });
      cases.push({
        name: `${name}: the stream decodes the same in chunks of ${size}`,
        run: () => streamCase(readFrames(stream, size)),
      });
    }
  }
  if (frames) {
    cases.push({
      name: `${name}: the stream encodes back to the same meaning`,
      run: () => streamCase(frames),
    });
  }
  return cases;
}

function isTextCompletion(body: JsonObject): { readonly skip?: string } {
  return body["messages"] === undefined && body["content"] === undefined
    ? { skip: "Text Completions, the retired language before Messages" }
    : {};
}

function requestCase(request: JsonObject, { model }: Recording): void {
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
  const written = dialect.encodeRequest(call, {
    model: call.model || model,
    family: "anthropic",
    profile: {
      structuredOutput: request["output_format"] ? "output_format" : "output_config",
      ...(request["model"] ? {} : { bodyVersion: request["anthropic_version"] }),
    },
  });
  assert.deepEqual(written.warnings, []);
  assert.equal(written.toolNames, undefined);
  assert.deepEqual(plainJson(written.value), normalRequest(request));
  assert.equal(JSON.stringify(request), before, "the body was changed");
  const facts = inbound.inspect(request, "chat");
  assert.ok(facts.inputTokens > 0);
  assert.ok(facts.messages.length > 0);
  assert.equal(inbound.withoutMarks!(request, "chat").value, request);
  inbound.validate({ model, ...request }, "chat");
}

/** The equalities of requests; everything else must come back as it was. */
function normalRequest(request: JsonObject): JsonObject {
  const { messages, ...body } = request as Record<string, Json>;
  // A setting of null is no setting; `stream: false` is the default.
  for (const [name, value] of Object.entries(body)) if (value === null) delete body[name];
  if (body["stream"] === false || body["model"] === undefined) delete body["stream"];
  for (const name of ["stop_sequences", "tools"]) {
    if (Array.isArray(body[name]) && body[name].length === 0) delete body[name];
  }
  const merged: { role: Json; content: Json }[] = [];
  for (const { role, content } of messages as readonly { role: Json; content: Json }[]) {
    const last = merged.at(-1);
    // Turns of one role are one turn, and results come first in it.
    if (last?.role === role && role !== "system") {
      last.content = resultsFirst([...blocks(last.content), ...blocks(content)]);
    } else merged.push({ role, content: Array.isArray(content) ? resultsFirst(content) : content });
  }
  return plainJson({ ...body, messages: merged });
}

function blocks(content: Json): readonly Json[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content as Json[];
}

function resultsFirst(content: readonly Json[]): Json[] {
  const isResult = (block: Json): boolean => isObject(block) && block["type"] === "tool_result";
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
}

function errorCase({ plain, status }: Recording): void {
  const body = json(plain!);
  const error = dialect.decodeError(status, Buffer.from(plain!).toString());
  const own = body["error"] as JsonObject | undefined;
  assert.equal(error.recognised, own !== undefined);
  assert.equal(error.message, own ? own["message"] : body["message"]);
  if (own) assert.equal(error.type, own["type"]);
}

function answerCase(body: JsonObject): void {
  const { value: parts, warnings } = dialect.decodeResponse(body, "chat");
  // What only this dialect has is told of as lost to others.
  assert.deepEqual(warnings.filter(({ code }) => code !== "answer_member_dropped"), []);
  const written = dialect.encodeResponse(parts, context);
  assert.deepEqual(written.warnings, []);
  assert.deepEqual(plainJson(written.value), normalAnswer(body));
  withoutNatives(parts);
  const facts = dialect.readAnswer(body, "chat");
  assert.equal(facts.model, body["model"]);
  checkTokens(facts.tokens, body["usage"] as JsonObject);
}

/** Classes are disjoint and add up to what the provider reports. */
function checkTokens(
  tokens: ReturnType<typeof dialect.readAnswer>["tokens"],
  usage: JsonObject,
): void {
  assert.ok(tokens);
  assert.equal(tokens.inputUncached, usage["input_tokens"]);
  assert.equal(tokens.inputCacheRead ?? undefined, usage["cache_read_input_tokens"] ?? undefined);
  const writes = (tokens.inputCacheWrite5m ?? 0) + (tokens.inputCacheWrite1h ?? 0);
  assert.equal(writes, usage["cache_creation_input_tokens"] ?? 0);
  assert.equal((tokens.output ?? 0) + (tokens.reasoning ?? 0), usage["output_tokens"]);
}

/** The equalities of answers: blank texts say nothing, and no citations are none; results are as they were. */
function normalAnswer(body: JsonObject): JsonObject {
  const content = (body["content"] as readonly JsonObject[])
    .filter((block) => block["type"] !== "text" || block["text"] !== "")
    .map((block) => {
      const { citations, ...rest } = block;
      const some = Array.isArray(citations) && citations.length > 0;
      return block["type"] !== "text" || some ? block : rest;
    });
  return plainJson({ stop_sequence: null, ...body, content });
}

/** What a caller is told by an answer of another dialect: the same Parts without their original spellings. */
function withoutNatives(parts: readonly Part[]): void {
  const bare = strip(parsedArguments(parts));
  const again = dialect.decodeResponse(dialect.encodeResponse(bare, context).value, "chat").value;
  assert.deepEqual(strip(again), bare);
}

/** Removes natives and what only natives can carry: foreign kinds, server tools, what a refusal explains. */
function strip(parts: readonly Part[]): Part[] {
  return parts.filter((part) =>
    part.type !== "native" && part.type !== "refusal" &&
    !(part.type === "tool-call" && part.server) && !(part.type === "text" && part.text === "")
  ).map((part) => {
    const { native: _native, ...rest } = part as Part & { native?: unknown };
    const copy: Record<string, unknown> = { ...rest };
    if (part.type === "finish") delete copy["raw"];
    if (part.type === "usage") {
      // A class that is wholly zero may be spelled or not.
      copy["tokens"] = Object.fromEntries(
        Object.entries(part.tokens).map(([name, value]) => [name, value ?? 0]),
      );
    }
    // Only members this test knows were taken out.
    return copy as unknown as Part;
  });
}

function tapCase(stream: Uint8Array, size: number): void {
  const tap = inbound.tap({ keepUsage: true });
  const out: Uint8Array[] = [];
  let content = false;
  let failed = false;
  const take = (result: ReturnType<typeof tap.push>): void => {
    out.push(result.forward);
    if (result.endMarker) out.push(result.endMarker);
    content ||= result.content;
    failed ||= result.error !== undefined;
  };
  for (let at = 0; at < stream.length; at += size) take(tap.push(stream.subarray(at, at + size)));
  take(tap.end());
  const relayed = Buffer.concat(out);
  const facts = tap.facts();
  const frames = readFrames(stream);
  if (frames.some((frame) => !isWhole(frame))) {
    assert.ok(Buffer.from(stream).subarray(0, relayed.length).equals(relayed));
    assert.equal(facts.complete, false);
    return;
  }
  assert.ok(relayed.equals(Buffer.from(stream)), "the bytes differ");
  assert.equal(content, true);
  const events = frames.map(({ data }) => JSON.parse(data) as JsonObject);
  if (isSpliced(events)) {
    assert.equal(facts.complete, false);
    return;
  }
  assert.equal(failed, events.some(({ type }) => type === "error"));
  assert.equal(facts.complete, !failed);
  assert.ok(failed || facts.estimatedOutputTokens > 0 || accumulate(events)["content"]);
  if (!failed) checkTokens(facts.tokens, accumulate(events)["usage"] as JsonObject);
}

/** Whether a retry of the service was spliced into the answer of the first try. */
function isSpliced(events: readonly JsonObject[]): boolean {
  const starts = events.filter(({ type }) => type === "message_start");
  return new Set(starts.map(({ message }) => (message as JsonObject)["id"])).size > 1;
}

function streamCase(frames: readonly Frame[]): void {
  const decoder = dialect.streamDecoder();
  const decode = (): Part[] => {
    const parts = frames.flatMap((frame) => [...decoder.push(frame)]);
    return assembleParts([...parts, ...decoder.end()]);
  };
  const events = frames.filter(isWhole).map(({ data }) => JSON.parse(data) as JsonObject);
  if (events.length < frames.length || isSpliced(events)) {
    assert.throws(decode, { code: "upstream_invalid_response" });
    return;
  }
  const error = events.find(({ type }) => type === "error");
  if (error) {
    const parts = decode();
    assert.equal(parts.at(-1)?.type, "error");
    return;
  }
  const streaming = dialect.streamDecoder();
  const parts = [
    ...frames.flatMap((frame) => [...streaming.push(frame)]),
    ...streaming.end(),
  ];
  const assembled = assembleParts(parts);
  const whole = normalAnswer(accumulate(events));
  assert.deepEqual(plainJson(dialect.encodeResponse(assembled, context).value), whole);
  const plain = dialect.decodeResponse(whole, "chat").value;
  assert.deepEqual(strip(parsedArguments(assembled)), strip(parsedArguments(plain)));
  withoutNatives(assembled);
  const encoder = dialect.streamEncoder({ ...context, stream: true });
  const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
  const again = readFrames(new TextEncoder().encode(written.map(writeFrame).join("")))
    .map(({ event, data }) => {
      const value = JSON.parse(data) as JsonObject;
      assert.equal(value["type"], event);
      return value;
    });
  checkOrder(again);
  assert.deepEqual(normalAnswer(accumulate(again)), whole);
}

/** Blocks open with the next index, never overlap, and nothing follows the end. */
function checkOrder(events: readonly JsonObject[]): void {
  let next = 0;
  let open = false;
  events.forEach(({ type, index }, at) => {
    if (type === "content_block_start") {
      assert.equal(open, false);
      assert.equal(index, next);
      open = true;
    } else if (type === "content_block_delta") {
      assert.equal(open, true);
      assert.equal(index, next);
    } else if (type === "content_block_stop") {
      assert.equal(open, true);
      assert.equal(index, next++);
      open = false;
    } else assert.equal(open, false);
    assert.equal(type === "message_start", at === 0);
    assert.equal(type === "message_delta", at === events.length - 2);
    assert.equal(type === "message_stop", at === events.length - 1);
  });
}

/** Adds up the events of a stream into the message they would have been, by no code of the dialect. */
function accumulate(events: readonly JsonObject[]): JsonObject {
  let message: Record<string, Json> = {};
  const content: Record<string, Json>[] = [];
  const inputs: string[] = [];
  for (const event of events) {
    const index = event["index"] as number;
    switch (event["type"]) {
      case "message_start":
        message = structuredClone(event["message"]) as Record<string, Json>;
        break;
      case "content_block_start":
        content[index] = structuredClone(event["content_block"]) as Record<string, Json>;
        break;
      case "content_block_delta":
        addUp(content[index]!, event["delta"] as JsonObject, index, inputs);
        break;
      case "message_delta": {
        const { type: _type, delta, usage, ...top } = event;
        const told = Object.entries(usage as JsonObject).filter(([, value]) => value !== null);
        for (const [name, value] of Object.entries({ ...delta as JsonObject, ...top })) {
          if (value !== null || !(name in message)) message[name] = value!;
        }
        message["usage"] = {
          ...message["usage"] as JsonObject,
          ...Object.fromEntries(told),
        } as Json;
      }
    }
  }
  inputs.forEach((text, index) => {
    if (text !== "") content[index]!["input"] = parsedInput(text);
  });
  return plainJson({ ...message, content });
}

function addUp(
  block: Record<string, Json>,
  delta: JsonObject,
  index: number,
  inputs: string[],
): void {
  const add = (name: string): void => {
    block[name] = String(block[name] ?? "") + String(delta[name]);
  };
  switch (delta["type"]) {
    case "text_delta":
      return add("text");
    case "thinking_delta":
      return add("thinking");
    case "signature_delta":
      return add("signature");
    case "input_json_delta":
      inputs[index] = (inputs[index] ?? "") + String(delta["partial_json"]);
      return;
    case "citations_delta":
      block["citations"] = [...block["citations"] as Json[] ?? [], delta["citation"]!];
      return;
    default:
      assert.fail(`unknown delta ${String(delta["type"])}`);
  }
}

/** An input cut off by the output limit is given as text. */
function parsedInput(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return { _raw: text };
  }
}

/** Argument texts of a stream are spelled by the model, those of a plain answer by the decoder. */
function parsedArguments(parts: readonly Part[]): Part[] {
  return parts.map((part) =>
    part.type === "tool-call"
      ? { ...part, arguments: JSON.stringify(parsedInput(part.arguments)) }
      : part
  );
}

function modelsCase(): Case {
  return {
    name: "anthropic-models: a page has the members the recorded one has",
    run() {
      const [name] = readdirSync(join(root, "wire", "anthropic-models"));
      const recorded = json(read(join("anthropic-models", name!), "response.json")!);
      const listing = { id: "m", created: 1, description: null, provider: "p", model: "m" };
      const page = inbound.encodeModels!([listing], {});
      for (const member of ["data", "has_more", "first_id", "last_id"]) {
        assert.ok(member in recorded && member in page, member);
      }
      const [first] = page["data"] as readonly JsonObject[];
      for (const member of ["type", "id", "display_name", "created_at"]) {
        assert.equal(typeof first![member], typeof firstOf(recorded)[member], member);
      }
      assert.ok(!Number.isNaN(Date.parse(String(first!["created_at"]))));
    },
  };
}

function firstOf(page: JsonObject): JsonObject {
  return (page["data"] as readonly JsonObject[])[0]!;
}

function readFrames(stream: Uint8Array, size = stream.length): Frame[] {
  const reader = createSseReader();
  const frames: Frame[] = [];
  for (let at = 0; at < stream.length; at += size) {
    frames.push(...reader.push(stream.subarray(at, at + size)));
  }
  return [...frames, ...reader.end()];
}

function isWhole(frame: Frame): boolean {
  try {
    JSON.parse(frame.data);
    return true;
  } catch {
    return false;
  }
}

function json(bytes: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonObject;
}

function plainJson(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
