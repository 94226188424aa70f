import {
  type AnswerContext,
  type FinishPart,
  GatewayError,
  type Json,
  type JsonObject,
  type StartPart,
  type Warning,
} from "@vmx/core/contract";
import { toldMembers } from "@vmx/core/kit";
import { isApproximated, readFinishReason, writeFinishReason } from "./finish-reason.ts";
import { readErrorMember } from "./errors.ts";
import {
  compact,
  native,
  objectOf,
  objectsOf,
  ownNative,
  pointer,
  present,
  textOf,
  without,
} from "./read-json.ts";
import { readTokens } from "./tokens.ts";

/** Members of an answer that have a place in the start part or in parts of their own. */
const known = new Set(["candidates", "responseId", "modelVersion", "usageMetadata"]);

/** Members of a candidate that have a place in blocks or in the finish part. */
const knownOfCandidate = new Set(["content", "index", "finishReason"]);

/** Members of a candidate that its text holds, beside those of `knownOfCandidate`. */
const spokenOfCandidate = new Set(["finishReason", "logprobsResult"]);

/** Members of an answer its start part holds, or that nobody reads. */
const spokenOfStart = new Set(["createTime", "usageMetadata", "sdkHttpResponse"]);

/** What an answer holds: candidates, or the reason why the prompt was refused. */
export interface CheckedAnswer {
  readonly candidates: readonly JsonObject[];
  readonly blocked: string | undefined;
}

/** Looks at an answer's form. Throws `upstream_invalid_response` when there is neither a candidate nor a refusal. */
export function checkAnswer(body: JsonObject): CheckedAnswer {
  const candidates = objectsOf(body["candidates"]);
  const blocked = blockReason(body);
  if (candidates.some(tells) || blocked !== undefined) return { candidates, blocked };
  const error = readErrorMember(body["error"]);
  throw new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's answer: ${
      error ? `it holds an error: ${error.message}` : "no candidate says anything or tells why"
    }`,
  );
}

function tells(candidate: JsonObject): boolean {
  const { content, finishReason, finish_reason: spelled } = candidate;
  return (finishReason ?? spelled) !== undefined || Array.isArray(objectOf(content)?.["parts"]);
}

/** Why a prompt was refused; undefined when it was not. */
export function blockReason(body: JsonObject): string | undefined {
  const reason = objectOf(body["promptFeedback"])?.["blockReason"];
  if (typeof reason === "number" && reason > 0) return String(reason);
  return textOf(reason);
}

/** Reads the members that describe an answer as a whole. */
export function readStart(body: JsonObject): StartPart {
  const usage = objectOf(body["usageMetadata"]);
  const rest = without(body, known);
  // Usage that counts nothing still tells how the call is billed.
  if (usage && !readTokens(usage)) rest["usageMetadata"] = usage;
  const created = Date.parse(textOf(body["createTime"]) ?? "");
  return {
    type: "start",
    ...present({
      id: textOf(body["responseId"]),
      model: textOf(body["modelVersion"]),
      created: Number.isNaN(created) ? undefined : Math.floor(created / 1000),
      extras: toldMembers(without(rest, spokenOfStart)),
      native: Object.keys(rest).length === 0 ? undefined : native(rest),
    }),
  };
}

/** Writes the members that describe an answer as a whole. */
export function writeStart(
  start: StartPart | undefined,
  context: AnswerContext,
): Record<string, Json> {
  const time = start?.created === undefined
    ? undefined
    : new Date(start.created * 1000).toISOString();
  return compact({
    createTime: time,
    modelVersion: start?.model ?? context.model,
    responseId: start?.id ?? context.requestId,
    ...(start && (ownNative(start) ?? start.extras)),
  });
}

/** What a candidate holds beside its content and the reason of its end. */
export function restOfCandidate(candidate: JsonObject): Record<string, Json> {
  const rest = without(candidate, knownOfCandidate);
  // A number is kept for those who asked for it.
  const reason = candidate["finishReason"];
  if (typeof reason === "number") rest["finishReason"] = reason;
  return rest;
}

/** Reads why a candidate ended. `rest` is what has no place elsewhere. */
export function readFinish(
  raw: string | undefined,
  choice: number,
  calls: boolean,
  rest: JsonObject,
  warnings: Warning[],
): FinishPart {
  const { reason, known } = readFinishReason(raw, calls);
  if (!known) {
    warnings.push({
      code: "unknown_finish_reason",
      path: pointer("candidates", choice, "finishReason"),
      action: "approximated",
      detail: raw === undefined ? "The provider gave none" : raw.slice(0, 100),
    });
  }
  return {
    type: "finish",
    choice,
    reason,
    ...present({ raw, extras: toldMembers(without(rest, spokenOfCandidate)) }),
    native: native(compact(rest)),
  };
}

/** The end of an answer whose prompt was refused. */
export function blockedFinish(reason: string): FinishPart {
  return {
    type: "finish",
    choice: 0,
    reason: "content-filter",
    raw: reason,
    native: native({ blocked: true }),
  };
}

/** Whether a finish stands for a refused prompt, which the dialect answers without a candidate. */
export function isBlocked(finish: FinishPart | undefined): boolean {
  return finish !== undefined && ownNative(finish)?.["blocked"] === true;
}

/** The dialect's word for a finish; an own spelling stays. */
export function writeReason(finish: FinishPart | undefined, warnings: Warning[]): string {
  if (!finish) return "STOP";
  if (ownNative(finish) && finish.raw !== undefined) return finish.raw;
  if (isApproximated(finish.reason)) {
    warnings.push({
      code: "finish_reason_approximated",
      path: pointer("candidates", finish.choice, "finishReason"),
      action: "approximated",
      detail: finish.reason,
    });
  }
  return writeFinishReason(finish.reason);
}
