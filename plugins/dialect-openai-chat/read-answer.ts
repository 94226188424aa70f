import {
  type AnswerFacts,
  GatewayError,
  type JsonObject,
  type Operation,
} from "@vmx/core/contract";
import { estimateJsonTokens, estimateTokens, isObject } from "@vmx/core/kit";
import { readErrorMember } from "./errors.ts";
import { readFinishReason } from "./finish-reason.ts";
import { contentText } from "./inspect.ts";
import { listOf, objectOf, textOf } from "./read-json.ts";
import { readTokens } from "./tokens.ts";

/**
 * Reads along a plain answer.
 *
 * Throws `upstream_invalid_response` when it has no choices (or no vectors).
 */
export function readAnswer(body: JsonObject, operation: Operation): AnswerFacts {
  const items = checkAnswer(body, operation);
  const usage = objectOf(body["usage"]);
  const first = operation === "chat" ? objectOf(items[0]) : undefined;
  const message = objectOf(first?.["message"]) ?? {};
  const finishRaw = textOf(first?.["finish_reason"]);
  const finish = finishRaw === undefined ? undefined : readFinishReason(finishRaw, {
    toolCall: listOf(message["tool_calls"]).length > 0 || isObject(message["function_call"]),
    refusal: Boolean(message["refusal"]),
  }).reason;
  const facts = {
    id: textOf(body["id"]),
    model: textOf(body["model"]),
    tokens: usage ? readTokens(usage) : undefined,
    finish,
    finishRaw,
    serviceTier: textOf(body["service_tier"]),
    systemFingerprint: textOf(body["system_fingerprint"]),
  };
  return {
    ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
    get estimatedOutputTokens() {
      return operation === "chat" ? estimateChoices(items) : 0;
    },
  };
}

/** The choices (or vectors) of an answer. Throws `upstream_invalid_response` when there are none. */
export function checkAnswer(body: JsonObject, operation: Operation): readonly JsonObject[] {
  const name = operation === "embeddings" ? "data" : "choices";
  const items = body[name];
  if (Array.isArray(items) && items.length > 0 && items.every(isObject)) return items;
  const error = readErrorMember(body["error"]);
  const reason = error
    ? `it holds an error: ${error.message}`
    : Array.isArray(items)
    ? `"${name}" ${items.length === 0 ? "is empty" : "does not hold objects"}`
    : `"${name}" is ${items === undefined ? "missing" : "not an array"}`;
  throw new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's answer: ${reason}`,
  );
}

function estimateChoices(choices: readonly JsonObject[]): number {
  let tokens = 0;
  for (const choice of choices) {
    const message = objectOf(choice["message"]) ?? {};
    tokens += estimateTokens(contentText(message["content"]));
    for (const name of ["reasoning_content", "reasoning", "refusal"]) {
      tokens += estimateTokens(textOf(message[name]) ?? "");
    }
    for (const calls of [message["tool_calls"], message["function_call"]]) {
      if (calls) tokens += estimateJsonTokens(calls);
    }
  }
  return tokens;
}
