import type { Dialect, JsonObject, StreamPart } from "../../contract/index.ts";
import { mergedBody } from "../../gateway/merged-body.ts";
import { assembleParts, createSseReader } from "../../kit/index.ts";
import { mayHoldMedia, replaceMedia } from "./replace-media.ts";
import { redactJson } from "./redact-json.ts";
import { type PayloadHead, readSpooled, type SpooledText } from "./spooled.ts";

/** The members of an audit row that payloads are kept in. */
export type PayloadMember =
  | "requestBody"
  | "mergedBody"
  | "providerRequestBody"
  | "responseBody"
  | "responseHeaders";

/** What is stored of a request's payload, and for each member what became of it. */
export interface PayloadDocument {
  /** Each member as JSON. */
  readonly members: Readonly<Partial<Record<PayloadMember | "responseFrames", string>>>;
  readonly state: Readonly<Partial<Record<PayloadMember, string>>>;
}

/** What building a document needs. */
export interface DocumentOptions {
  /** Bytes of each member that are kept. */
  readonly maxBytes: number;
  /** Finds an installed dialect; undefined when it is not there any more. */
  readonly dialect: (id: string) => Promise<Dialect | undefined>;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** Turns a spooled payload into what is stored: media by hash, streams assembled, each member within its bound. */
export async function payloadDocument(
  spooled: Buffer,
  options: DocumentOptions,
): Promise<PayloadDocument> {
  const { head, texts: [request, providerRequest, answer] } = readSpooled(spooled);
  const members: Partial<Record<PayloadMember | "responseFrames", string>> = {};
  const state: Partial<Record<PayloadMember, string>> = {};
  const keep = (member: PayloadMember, given: Given): void => {
    if ("cause" in given) {
      state[member] = `not captured: ${given.cause}`;
      return;
    }
    const { json, cut } = bounded(given, options);
    members[member] = json;
    state[member] = cut === undefined
      ? "stored"
      : `truncated (${cut.keptBytes}/${cut.totalBytes} bytes)`;
  };

  if (head.headers) keep("responseHeaders", { json: JSON.stringify(head.headers) });
  if (head.summary) {
    if (head.summary.request) keep("requestBody", { json: JSON.stringify(head.summary.request) });
    if (head.summary.answer) keep("responseBody", { json: JSON.stringify(head.summary.answer) });
    for (const member of ["mergedBody", "providerRequestBody"] as const) {
      state[member] = "off by policy";
    }
    return { members, state };
  }
  const body = read(head.request, request!);
  keep("requestBody", body);
  keep("mergedBody", merged(body, head));
  keep("providerRequestBody", read(head.providerRequest, providerRequest!, "no leg was called"));
  if (head.answer?.kind !== "frames") {
    keep("responseBody", read(head.answer, answer!, "there was no answer"));
  } else {
    const dialect = await options.dialect(head.dialect);
    const assembled = dialect
      ? assemble(dialect, head, answer!)
      : { frames: 0, given: { cause: `dialect "${head.dialect}" is not installed` } };
    members.responseFrames = String(assembled.frames);
    keep("responseBody", assembled.given);
    const { keptBytes, totalBytes } = head.answer;
    if (keptBytes < totalBytes && "json" in assembled.given) {
      state.responseBody = `truncated (${keptBytes}/${totalBytes} bytes)`;
    }
  }
  return { members, state };
}

/** JSON to be kept, a text of which only the beginning is there, or why there is nothing. */
type Given =
  | { readonly json: string }
  | { readonly text: string; readonly totalBytes: number }
  | { readonly cause: string };

// Bodies are JSON already: they were parsed on their way, or written by a dialect. Parsing them again for nothing
// would be most of what shipping costs.
function read(text: SpooledText | undefined, bytes: Buffer, absent = "there is none"): Given {
  if (!text) return { cause: absent };
  const decoded = bytes.toString("utf8");
  return text.keptBytes < text.totalBytes
    ? { text: decoded, totalBytes: text.totalBytes }
    : { json: decoded };
}

function merged(body: Given, { defaultArgs, providerArgs }: PayloadHead): Given {
  if (!("json" in body)) return body;
  if (!defaultArgs && !providerArgs && !body.json.includes('"vmx"')) return body;
  const envelope = providerArgs ? { providerArgs } : {};
  const value = JSON.parse(body.json) as JsonObject;
  return { json: JSON.stringify(mergedBody(value, defaultArgs ?? null, envelope)) };
}

/** JSON within the bound, and of what did not fit how much was kept. */
function bounded(
  given: Exclude<Given, { cause: string }>,
  { maxBytes, redact }: DocumentOptions,
): { json: string; cut?: { keptBytes: number; totalBytes: number } } {
  const whole = "json" in given;
  const text = whole ? redactJson(withoutMedia(given.json), redact) : redact(given.text);
  const bytes = Buffer.byteLength(text);
  if (whole && bytes <= maxBytes) return { json: text };
  const first = cut(text, maxBytes);
  const totalBytes = whole ? bytes : given.totalBytes;
  return {
    json: JSON.stringify(first),
    cut: { keptBytes: Buffer.byteLength(first), totalBytes },
  };
}

function withoutMedia(json: string): string {
  if (!mayHoldMedia.test(json)) return json;
  const value: unknown = JSON.parse(json);
  const replaced = replaceMedia(value);
  return replaced === value ? json : JSON.stringify(replaced);
}

/** The first part of a text, cut between characters. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** Puts a stream's frames together as the plain answer they stand for, also when its end is missing. */
function assemble(
  dialect: Dialect,
  head: PayloadHead,
  bytes: Buffer,
): { frames: number; given: Given } {
  const reader = createSseReader();
  const frames = [...reader.push(bytes), ...reader.end()];
  try {
    const decoder = dialect.streamDecoder();
    const parts: StreamPart[] = [];
    for (const frame of frames) parts.push(...decodeOne(() => decoder.push(frame)));
    parts.push(...decodeOne(() => decoder.end()));
    const { value } = dialect.encodeResponse(assembleParts(parts), {
      operation: head.operation,
      requestId: head.requestId,
      stream: false,
      now: Math.floor(head.arrivedAt / 1000),
      model: head.model,
      includeUsage: true,
    });
    return { frames: frames.length, given: { json: JSON.stringify(value) } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    return { frames: frames.length, given: { cause: `the stream cannot be assembled: ${reason}` } };
  }
}

/** The frame at which a stream broke off cannot be read; what came before it can. */
function decodeOne(decode: () => readonly StreamPart[]): readonly StreamPart[] {
  try {
    return decode();
  } catch {
    return [];
  }
}

/** The members of a document as JSON; undefined when nothing was kept. */
export function documentText({ members }: PayloadDocument): string | undefined {
  const texts = Object.entries(members).map(([name, json]) => `"${name}":${json}`);
  return texts.length === 0 ? undefined : `{${texts.join(",")}}`;
}
