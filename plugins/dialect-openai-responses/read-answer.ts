import {
  type AnswerFacts,
  GatewayError,
  type JsonObject,
  type Operation,
} from "@vmx/core/contract";
import { estimateTokens, isObject } from "@vmx/core/kit";
import { listOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { readStreamError } from "./errors.ts";
import { readFinishReason } from "./finish-reason.ts";
import { contentText } from "./inspect.ts";
import { itemType } from "./items.ts";
import { readTokens } from "./tokens.ts";

/**
 * Reads along a plain answer.
 *
 * Throws `upstream_invalid_response` when it is no finished response, and `upstream_error` when it failed.
 */
export function readAnswer(body: JsonObject, _operation: Operation): AnswerFacts {
  const items = checkResponse(body);
  return {
    ...responseFacts(body),
    get estimatedOutputTokens() {
      return estimateItems(items);
    },
  };
}

/** What a response object tells about the answer as a whole. */
export function responseFacts(response: JsonObject): Omit<AnswerFacts, "estimatedOutputTokens"> {
  const items = listOf(response["output"]).filter(isObject);
  const { reason, raw } = readFinishReason(response, heldBy(items));
  const facts = {
    id: textOf(response["id"]),
    model: textOf(response["model"]),
    tokens: readTokens(response),
    finish: reason,
    finishRaw: raw,
    serviceTier: textOf(response["service_tier"]),
  };
  // Only undefined members go.
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** Whether output items hold a call of the caller's tools, and a refusal. */
export function heldBy(
  items: readonly JsonObject[],
): { readonly toolCall: boolean; readonly refusal: boolean } {
  return {
    toolCall: items.some((item) =>
      item["type"] === "function_call" || item["type"] === "custom_tool_call"
    ),
    refusal: items.some((item) =>
      listOf(item["content"]).some((part) => objectOf(part)?.["type"] === "refusal")
    ),
  };
}

const unfinished = new Set(["queued", "in_progress", "cancelled"]);

/**
 * The output items of a finished response.
 *
 * Throws `upstream_invalid_response` when it is not one, and `upstream_error` when it failed.
 */
export function checkResponse(body: JsonObject): readonly JsonObject[] {
  const { output, status } = body;
  if (status === "failed") {
    const { message } = readStreamError(body);
    throw new GatewayError("upstream_error", `The provider reported a failed response: ${message}`);
  }
  const reason = typeof status === "string" && unfinished.has(status)
    ? `its status is "${status}"`
    : !Array.isArray(output)
    ? `"output" is ${output === undefined ? "missing" : "not an array"}`
    : output.every(isObject)
    ? undefined
    : '"output" does not hold objects';
  if (reason === undefined) return listOf(output).filter(isObject);
  throw new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's answer: ${reason}`,
  );
}

function estimateItems(items: readonly JsonObject[]): number {
  let tokens = 0;
  for (const item of items) {
    const type = itemType(item);
    if (type === "message") {
      for (const part of listOf(item["content"])) {
        const own = objectOf(part) ?? {};
        tokens += estimateTokens(textOf(own["text"]) ?? textOf(own["refusal"]) ?? "");
      }
    } else if (type === "reasoning") {
      tokens += estimateTokens(contentText(item["summary"]));
      tokens += estimateTokens(contentText(item["content"]));
    } else tokens += estimateTokens(textOf(item["arguments"]) ?? textOf(item["input"]) ?? "");
  }
  return tokens;
}
