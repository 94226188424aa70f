import {
  type AnswerFacts,
  GatewayError,
  type JsonObject,
  type Operation,
  type Part,
} from "@vmx/core/contract";
import { estimateJsonTokens, estimateTokens, isObject } from "@vmx/core/kit";
import { decodeVectors } from "./embeddings.ts";
import { readStopReason } from "./finish-reason.ts";
import { objectOf, objectsOf, present, textOf } from "./read-json.ts";
import { readTokens } from "./tokens.ts";

/**
 * Reads along a plain answer.
 *
 * Throws `upstream_invalid_response` when it holds no message (or no vectors).
 */
export function readAnswer(body: JsonObject, operation: Operation): AnswerFacts {
  if (operation === "embeddings") {
    const usage = decodeVectors(body).find(isUsage);
    return { estimatedOutputTokens: 0, ...(usage ? { tokens: usage.tokens } : {}) };
  }
  const message = checkAnswer(body);
  const usage = objectOf(body["usage"]);
  const finishRaw = textOf(body["stopReason"]);
  const router = objectOf(objectOf(body["trace"])?.["promptRouter"]);
  return {
    ...present({
      model: textOf(router?.["invokedModelId"]),
      tokens: usage && readTokens(usage),
      finish: finishRaw === undefined ? undefined : readStopReason(finishRaw) ?? "end",
      finishRaw,
      serviceTier: textOf(objectOf(body["serviceTier"])?.["type"]),
    }),
    get estimatedOutputTokens() {
      return objectsOf(message["content"]).reduce((sum, block) => sum + estimateBlock(block), 0);
    },
  };
}

/** The message of an answer. Throws `upstream_invalid_response` when there is none. */
export function checkAnswer(body: JsonObject): JsonObject {
  const output = objectOf(body["output"]);
  const message = objectOf(output?.["message"]);
  const { content } = message ?? {};
  if (message && Array.isArray(content) && content.every(isObject)) return message;
  const error = textOf(body["message"]) ?? textOf(body["Message"]);
  const reason = error !== undefined
    ? `it holds an error: ${error}`
    : message
    ? '"output.message.content" is not an array of objects'
    : '"output.message" is missing';
  throw new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's answer: ${reason}`,
  );
}

function isUsage(part: Part): part is Extract<Part, { type: "usage" }> {
  return part.type === "usage";
}

function estimateBlock(block: JsonObject): number {
  const text = textOf(block["text"]);
  return text === undefined ? estimateJsonTokens(block) : estimateTokens(text);
}
