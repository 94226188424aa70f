import { GatewayError, type JsonObject, type Part, type UsagePart } from "@vmx/core/contract";
import { compact, native, numberOf, ownNative } from "./read-json.ts";

/** Reads the answer of `countTokens`. Throws `upstream_invalid_response` when it counts nothing. */
export function readCount(body: JsonObject): UsagePart {
  // A count of zero is left out where other members tell that something was counted.
  const total = numberOf(body["totalTokens"]) ?? (body["promptTokensDetails"] ? 0 : undefined);
  if (total === undefined) {
    throw new GatewayError(
      "upstream_invalid_response",
      'Cannot read the provider\'s answer: "totalTokens" is missing',
    );
  }
  const cached = numberOf(body["cachedContentTokenCount"]) ?? null;
  return {
    type: "usage",
    tokens: {
      inputUncached: Math.max(0, total - (cached ?? 0)),
      inputCacheRead: cached,
      inputCacheWrite5m: null,
      inputCacheWrite1h: null,
      output: null,
      reasoning: null,
      audioInput: null,
      audioOutput: null,
      promptTotal: total,
    },
    native: native(body),
  };
}

/** Writes the answer of `countTokens`. */
export function writeCount(parts: readonly Part[]): JsonObject {
  const usage = parts.find((part) => part.type === "usage");
  if (!usage) return { totalTokens: 0 };
  const { promptTotal, inputUncached, inputCacheRead } = usage.tokens;
  return ownNative(usage) ?? compact({
    totalTokens: promptTotal ?? (inputUncached ?? 0) + (inputCacheRead ?? 0),
    cachedContentTokenCount: inputCacheRead ?? undefined,
  });
}
