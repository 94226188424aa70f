import type { AnswerFacts, JsonObject, Operation } from "@vmx/core/contract";
import { estimateTokens } from "@vmx/core/kit";
import { checkAnswer } from "./answer-members.ts";
import { readCount } from "./count-tokens.ts";
import { checkVectors } from "./embeddings.ts";
import { readFinishReason, reasonName } from "./finish-reason.ts";
import { camelOf, objectOf, objectsOf, present, textOf } from "./read-json.ts";
import { readTokens } from "./tokens.ts";

/**
 * Reads along a plain answer.
 *
 * Throws `upstream_invalid_response` when it has neither a candidate nor a refusal (or no vector, no count).
 */
export function readAnswer(body: JsonObject, operation: Operation): AnswerFacts {
  const usage = objectOf(body["usageMetadata"]);
  if (operation === "count-tokens") {
    return { tokens: readCount(body).tokens, estimatedOutputTokens: 0 };
  }
  const tokens = usage && readTokens(usage);
  if (operation === "embeddings") {
    checkVectors(body);
    return { ...present({ tokens }), estimatedOutputTokens: 0 };
  }
  const { candidates, blocked } = checkAnswer(body);
  const [first] = candidates;
  const raw = first ? reasonName(first["finishReason"] ?? first["finish_reason"]) : blocked;
  const calls = partsOf(first).some((part) => camelOf(part)?.["functionCall"] !== undefined);
  const finish = first ? readFinishReason(raw, calls).reason : "content-filter";
  return {
    ...present({
      id: textOf(body["responseId"]),
      model: textOf(body["modelVersion"]),
      tokens,
      finish,
      finishRaw: raw,
      serviceTier: textOf(usage?.["serviceTier"])?.toLowerCase(),
    }),
    get estimatedOutputTokens() {
      return candidates.flatMap(partsOf).reduce(
        (total, part) => total + estimateTokens(textOf(part["text"]) ?? JSON.stringify(part)),
        0,
      );
    },
  };
}

function partsOf(candidate: JsonObject | undefined): readonly JsonObject[] {
  return objectsOf(camelOf(candidate?.["content"])?.["parts"]);
}
