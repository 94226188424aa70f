import type { AnswerFacts, JsonObject, Operation } from "@vmx/core/contract";
import { estimateTokens } from "@vmx/core/kit";
import { checkAnswer } from "./answer-members.ts";
import { isUnwrapped, readCount } from "./decode-response.ts";
import { readStopReason } from "./finish-reason.ts";
import { objectOf, objectsOf, present, textOf } from "./read-json.ts";
import { readTokens } from "./tokens.ts";

/**
 * Reads along a plain answer.
 *
 * Throws `upstream_invalid_response` when it has no content (or no count).
 */
export function readAnswer(body: JsonObject, operation: Operation): AnswerFacts {
  if (operation === "count-tokens") {
    return { tokens: readCount(body).tokens, estimatedOutputTokens: 0 };
  }
  checkAnswer(body);
  const usage = objectOf(body["usage"]);
  const finishRaw = textOf(body["stop_reason"]);
  const { reason } = readStopReason(finishRaw);
  const unwrapped = reason === "tool-use" && isUnwrapped(objectsOf(body["content"]));
  return {
    ...present({
      id: textOf(body["id"]),
      model: textOf(body["model"]),
      tokens: usage && readTokens(usage),
      finish: finishRaw === undefined ? undefined : unwrapped ? "end" as const : reason,
      finishRaw,
      serviceTier: textOf(usage?.["service_tier"]),
    }),
    get estimatedOutputTokens() {
      return estimateContent(objectsOf(body["content"]));
    },
  };
}

function estimateContent(content: readonly JsonObject[]): number {
  let tokens = 0;
  for (const block of content) {
    const text = textOf(block["text"]) ?? textOf(block["thinking"]);
    if (text !== undefined) tokens += estimateTokens(text);
    else if (block["input"] !== undefined) tokens += estimateTokens(JSON.stringify(block["input"]));
  }
  return tokens;
}
