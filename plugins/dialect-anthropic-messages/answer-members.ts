import {
  type AnswerContext,
  type FinishPart,
  GatewayError,
  type Json,
  type JsonObject,
  type StartPart,
  type UsagePart,
} from "@vmx/core/contract";
import { toldMembers } from "@vmx/core/kit";
import { readErrorBody } from "./errors.ts";
import { readStopReason, writeStopReason } from "./finish-reason.ts";
import { native, objectOf, ownFamily, ownNative, present, textOf, without } from "./read-json.ts";
import { readTokens, writeTokens } from "./tokens.ts";

/** Members of a message that have a place in Parts; all others are kept with the finish. */
const known: ReadonlySet<string> = new Set([
  "id",
  "type",
  "role",
  "model",
  "content",
  "stop_reason",
  "stop_sequence",
  "usage",
]);

/** Members of a finish's rest that stand beside the `delta` of a stream's last event; all others stand inside. */
const topMembers: ReadonlySet<string> = new Set(["context_management"]);

/** The content of an answer. Throws `upstream_invalid_response` when it is none. */
export function checkAnswer(body: JsonObject): readonly Json[] {
  const { content } = body;
  if (Array.isArray(content) && body["type"] !== "error") return content as readonly Json[];
  const error = readErrorBody(body);
  const reason = error
    ? `it holds an error: ${error.message}`
    : `"content" is ${content === undefined ? "missing" : "not an array"}`;
  throw invalidAnswer(reason);
}

/** The error for an answer of the wrong shape. */
export function invalidAnswer(reason: string, cause?: unknown): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's answer: ${reason}`,
    { cause },
  );
}

/** Reads the members that describe an answer as a whole. */
export function readStart(message: JsonObject): StartPart {
  return {
    type: "start",
    ...present({
      id: textOf(message["id"]) || undefined,
      model: textOf(message["model"]) || undefined,
      serviceTier: textOf(objectOf(message["usage"])?.["service_tier"]),
    }),
  };
}

/** The members of a message that no Part holds. */
export function readRest(message: JsonObject): Record<string, Json> {
  return without(message, known);
}

/** Reads usage, which is kept as it stands for answers of this dialect. */
export function readUsage(usage: JsonObject): UsagePart {
  return { type: "usage", tokens: readTokens(usage), native: native(usage) };
}

/** Writes usage: as the provider spelled it where it speaks this dialect. */
export function writeUsage(usage: UsagePart | undefined, start: StartPart | undefined): JsonObject {
  const own = usage && ownNative(usage);
  if (own) return own;
  const tier = writeTier(usage?.serviceTier ?? start?.serviceTier);
  return {
    ...(usage ? writeTokens(usage.tokens) : { input_tokens: 0, output_tokens: 0 }),
    ...(tier === undefined ? {} : { service_tier: tier }),
  };
}

/**
 * Writes the counts a stream opens with, which its end corrects. Readers of streams take no null over from the end,
 * so classes that other families do not report are null from the beginning.
 */
export function writeOpeningUsage(
  start: StartPart | undefined,
  context: AnswerContext,
): JsonObject {
  const foreign = context.family !== undefined && context.family !== ownFamily;
  const silent = { cache_creation_input_tokens: null, cache_read_input_tokens: null };
  const tier = writeTier(start?.serviceTier);
  return {
    input_tokens: 0,
    ...(foreign ? silent : {}),
    output_tokens: 0,
    ...(tier === undefined ? {} : { service_tier: tier }),
  };
}

/** The dialect's word for a service tier; those it has no word for keep their own. */
function writeTier(tier: string | undefined): string | undefined {
  return tier === "default" ? "standard" : tier;
}

/**
 * Reads why an answer ended.
 *
 * @param unwrapped true when the only tool call was the stand-in for a JSON answer
 */
export function readFinish(
  ended: JsonObject,
  rest: Readonly<Record<string, Json>>,
  unwrapped: boolean,
): FinishPart {
  const raw = textOf(ended["stop_reason"]);
  const { reason } = readStopReason(raw);
  return {
    type: "finish",
    choice: 0,
    reason: unwrapped && reason === "tool-use" ? "end" : reason,
    ...present({
      raw,
      stopSequence: textOf(ended["stop_sequence"]),
      extras: toldMembers(rest),
    }),
    native: native(rest),
  };
}

/** The members that say why an answer ended, and what only this dialect knows about it. */
export interface WrittenFinish {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
  /** Members of the message that stand inside a stream's `delta`. */
  readonly rest: JsonObject;
  /** Members of the message that stand beside it. */
  readonly top: JsonObject;
}

/** Writes why an answer ended; an own spelling stays. */
export function writeFinish(finish: FinishPart | undefined): WrittenFinish {
  const own = finish && ownNative(finish);
  const spelled = finish?.raw !== undefined && readStopReason(finish.raw).reason === finish.reason;
  const rest: Record<string, Json> = {};
  const top: Record<string, Json> = {};
  for (const [name, value] of Object.entries(own ?? finish?.extras ?? {})) {
    if (value !== undefined) (own && !topMembers.has(name) ? rest : top)[name] = value;
  }
  return {
    stop_reason: own !== undefined && spelled
      ? finish.raw!
      : writeStopReason(finish?.reason ?? "end"),
    stop_sequence: finish?.stopSequence ?? null,
    rest,
    top,
  };
}

/** Writes the members that describe an answer as a whole, without its content and end. */
export function writeHead(start: StartPart | undefined, context: AnswerContext): JsonObject {
  return {
    ...start?.extras,
    ...present({ system_fingerprint: start?.systemFingerprint }),
    id: start?.id ?? `msg_${context.requestId}`,
    type: "message",
    role: "assistant",
    model: start?.model ?? context.model,
  };
}
