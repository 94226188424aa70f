import type { JsonObject, Operation } from "../../contract/index.ts";
import type { Capture } from "../../gateway/capture.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { summarise } from "./summarise.ts";

/** One text of a payload: how long it was and how much of it is there. */
export interface SpooledText {
  readonly totalBytes: number;
  readonly keptBytes: number;
}

/** What is known of a spooled payload beside its texts, which follow it in the order of the members. */
export interface PayloadHead {
  readonly dialect: string;
  readonly operation: Operation;
  readonly requestId: string;
  readonly model: string;
  readonly arrivedAt: number;
  readonly defaultArgs?: JsonObject | null;
  readonly providerArgs?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  readonly request?: SpooledText;
  readonly providerRequest?: SpooledText;
  readonly answer?: SpooledText & { readonly kind: "plain" | "frames" };
  /** Stands in the place of all texts when only metadata is kept. */
  readonly summary?: { readonly request?: unknown; readonly answer?: unknown };
}

/** Texts above this many bytes are cut before they are spooled. */
export const maxSpooledBytes = 8 * 1024 * 1024;

/**
 * What the spool is to keep of a request and its answer, as pieces to be written one after the other. Nothing of
 * their text is among them where only metadata is kept.
 */
export function spooledPayload(exchange: Exchange, mode: "full" | "metadata"): Buffer[] {
  const { body, capture, target, envelope } = exchange;
  if (!body) return [];
  const texts: string[] = [];
  const take = (text: string): SpooledText => {
    const totalBytes = Buffer.byteLength(text);
    const kept = totalBytes > maxSpooledBytes ? firstPart(text) : text;
    texts.push(kept);
    return { totalBytes, keptBytes: kept === text ? totalBytes : Buffer.byteLength(kept) };
  };
  const common = {
    dialect: exchange.dialect.id,
    operation: exchange.request.endpoint.operation,
    requestId: exchange.requestId,
    model: body.model,
    arrivedAt: exchange.arrivedAt,
    ...(capture?.answerHeaders ? { headers: allowedHeaders(capture.answerHeaders) } : {}),
  };
  const head: PayloadHead = mode === "metadata" ? { ...common, summary: summaryOf(exchange) } : {
    ...common,
    ...(target?.kind === "resource" && target.resource.defaultArgs
      ? { defaultArgs: target.resource.defaultArgs as JsonObject }
      : {}),
    ...(envelope.providerArgs ? { providerArgs: envelope.providerArgs } : {}),
    request: take(body.text),
    ...(capture?.providerBody === undefined ? {} : { providerRequest: take(capture.providerBody) }),
    ...(capture?.answer === undefined
      ? {}
      : { answer: { kind: "plain" as const, ...take(capture.answer) } }),
    ...(capture && capture.totalBytes > 0
      ? {
        answer: {
          kind: "frames" as const,
          totalBytes: capture.totalBytes,
          keptBytes: capture.keptBytes,
        },
      }
      : {}),
  };
  const frames = mode === "full" && capture && capture.totalBytes > 0 ? capture : undefined;
  return [written(JSON.stringify(head), texts, frames)];
}

/** The beginning of a text that is too long, cut between characters. */
function firstPart(text: string): string {
  const bytes = Buffer.from(text);
  let end = maxSpooledBytes;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** All in one piece: many small ones cost a multiple of their bytes. */
function written(head: string, texts: readonly string[], frames: Capture | undefined): Buffer {
  const headBytes = Buffer.byteLength(head);
  const textBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const bytes = Buffer.allocUnsafe(4 + headBytes + textBytes + (frames?.keptBytes ?? 0));
  let at = bytes.writeUInt32LE(headBytes);
  at += bytes.write(head, at);
  for (const text of texts) at += bytes.write(text, at);
  for (const chunk of frames?.chunks ?? []) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Takes a spooled payload apart again. */
export function readSpooled(bytes: Buffer): { head: PayloadHead; texts: readonly Buffer[] } {
  const headEnd = 4 + bytes.readUInt32LE(0);
  const head = JSON.parse(bytes.toString("utf8", 4, headEnd)) as PayloadHead;
  let at = headEnd;
  const texts = [head.request, head.providerRequest, head.answer].map((text) => {
    const from = at;
    at += text?.keptBytes ?? 0;
    return bytes.subarray(from, at);
  });
  return { head, texts };
}

function summaryOf({ body, capture }: Exchange): PayloadHead["summary"] {
  return {
    request: { bytes: Buffer.byteLength(body!.text), ...asObject(summarise(body!.value)) },
    ...(capture?.answer === undefined ? {} : {
      answer: {
        bytes: Buffer.byteLength(capture.answer),
        ...asObject(summarise(parsed(capture.answer))),
      },
    }),
    ...(capture && capture.totalBytes > 0 ? { answer: { bytes: capture.totalBytes } } : {}),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

const allowed =
  /^(content-type|date|server|via|retry-after|cf-ray|([a-z0-9]+-)*(request-?id|model|version|processing-ms|ratelimit-[\w-]+))$/;

/** Headers that are kept: an allow-list, so that no credential or cookie ever is. */
function allowedHeaders(
  headers: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && allowed.test(name)) kept[name] = value.slice(0, 512);
  }
  return kept;
}
