import type { Json, JsonObject, Tokens } from "@vmx/core/contract";
import { compact, numberOf, objectsOf } from "./read-json.ts";

/**
 * Reads a `usage` object into disjoint classes. A class the service did not report is null; zero is a value.
 * `inputTokens` holds neither cache reads nor writes (API reference, `TokenUsage`: the total is the sum of all four);
 * reasoning is part of `outputTokens` and not told apart.
 */
export function readTokens(usage: JsonObject): Tokens {
  const uncached = count(usage["inputTokens"]);
  const read = count(usage["cacheReadInputTokens"]) ?? count(usage["cacheReadInputTokenCount"]);
  const written = count(usage["cacheWriteInputTokens"]) ??
    count(usage["cacheWriteInputTokenCount"]);
  const output = count(usage["outputTokens"]);
  const details = objectsOf(usage["cacheDetails"]);
  const hours = details.filter((detail) => detail["ttl"] === "1h")
    .map((detail) => count(detail["inputTokens"]) ?? 0);
  const longWrites = hours.length === 0 ? null : sum(...hours);
  const prompt = uncached === null ? null : sum(uncached, read, written);
  return {
    inputUncached: uncached,
    inputCacheRead: read,
    inputCacheWrite5m: written === null ? null : Math.max(0, written - (longWrites ?? 0)),
    inputCacheWrite1h: longWrites,
    output,
    reasoning: null,
    audioInput: null,
    audioOutput: null,
    promptTotal: prompt,
    completionTotal: output,
  };
}

/** Writes token classes as a `usage` object; classes that were not reported are left out. */
export function writeTokens(tokens: Tokens): JsonObject {
  const { inputCacheRead: read, inputCacheWrite5m: short, inputCacheWrite1h: long } = tokens;
  const uncached = tokens.inputUncached ?? tokens.promptTotal ?? 0;
  const input = sum(uncached, tokens.audioInput);
  const output = tokens.completionTotal ??
    sum(tokens.output, tokens.reasoning, tokens.audioOutput);
  const written = short === null && long === null ? undefined : sum(short, long);
  return compact({
    inputTokens: input,
    outputTokens: output,
    totalTokens: sum(input, output, read, written ?? null),
    cacheReadInputTokens: read ?? undefined,
    cacheWriteInputTokens: written,
    cacheDetails: long === null ? undefined : [
      ...(short ? [{ ttl: "5m", inputTokens: short }] : []),
      { ttl: "1h", inputTokens: long },
    ],
  });
}

function count(value: Json | undefined): number | null {
  const number = numberOf(value);
  return number === undefined || !Number.isFinite(number) || number < 0 ? null : number;
}

function sum(...parts: readonly (number | null)[]): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}
