import type { Json, JsonObject, Tokens } from "@vmx/core/contract";
import { compact, numberOf, objectOf } from "./read-json.ts";

/**
 * Reads a `usage` object into disjoint classes; null is not reported, zero is a value. `input_tokens` excludes what
 * was read from and written to the cache; writes without a breakdown are of 5 minutes (Messages API, "Usage").
 */
export function readTokens(usage: JsonObject): Tokens {
  const creation = objectOf(usage["cache_creation"]) ?? {};
  const written = count(usage["cache_creation_input_tokens"]);
  const hour = count(creation["ephemeral_1h_input_tokens"]);
  const minutes = count(creation["ephemeral_5m_input_tokens"]);
  const outputTotal = count(usage["output_tokens"]);
  const reasoning = count(objectOf(usage["output_tokens_details"])?.["thinking_tokens"]);
  const server = objectOf(usage["server_tool_use"]) ?? {};
  return {
    inputUncached: count(usage["input_tokens"]),
    inputCacheRead: count(usage["cache_read_input_tokens"]),
    // The total is counted on while a stream goes on, the breakdown is not.
    inputCacheWrite5m: written === null ? minutes : Math.max(0, written - (hour ?? 0)),
    inputCacheWrite1h: hour,
    output: outputTotal === null ? null : Math.max(0, outputTotal - (reasoning ?? 0)),
    reasoning,
    audioInput: null,
    audioOutput: null,
    webSearchRequests: count(server["web_search_requests"]),
    codeExecutionRequests: count(server["code_execution_requests"]),
    completionTotal: outputTotal,
  };
}

/**
 * Adds what a later event reports. Counts are cumulative, so the later one stands; a null says nothing about what
 * was told before.
 */
export function mergeTold(
  before: Readonly<Record<string, Json>>,
  later: Readonly<Record<string, Json>>,
): Record<string, Json> {
  const merged = { ...before };
  for (const [name, value] of Object.entries(later)) {
    if (value !== null || !Object.hasOwn(merged, name)) merged[name] = value;
  }
  return merged;
}

/** Writes token classes as a `usage` object. */
export function writeTokens(tokens: Tokens): JsonObject {
  const { inputCacheRead, inputCacheWrite5m, inputCacheWrite1h, reasoning } = tokens;
  const cached = sum(inputCacheRead, inputCacheWrite5m, inputCacheWrite1h);
  const uncached = tokens.inputUncached === null && tokens.audioInput === null
    ? Math.max(0, (tokens.promptTotal ?? 0) - cached)
    : sum(tokens.inputUncached, tokens.audioInput);
  const writes = inputCacheWrite5m === null && inputCacheWrite1h === null
    ? null
    : sum(inputCacheWrite5m, inputCacheWrite1h);
  const searches = tokens.webSearchRequests ?? null;
  const executions = tokens.codeExecutionRequests ?? null;
  return compact({
    input_tokens: uncached,
    cache_creation_input_tokens: writes,
    cache_read_input_tokens: inputCacheRead,
    cache_creation: inputCacheWrite1h === null ? undefined : {
      ephemeral_5m_input_tokens: inputCacheWrite5m ?? 0,
      ephemeral_1h_input_tokens: inputCacheWrite1h,
    },
    output_tokens: tokens.completionTotal ??
      sum(tokens.output, reasoning, tokens.audioOutput),
    output_tokens_details: reasoning === null ? undefined : { thinking_tokens: reasoning },
    server_tool_use: searches === null && executions === null ? undefined : compact({
      web_search_requests: searches ?? undefined,
      code_execution_requests: executions ?? undefined,
    }),
  });
}

/** All input tokens, as a token count states them. */
export function inputTotal(tokens: Tokens): number {
  return tokens.promptTotal ?? sum(
    tokens.inputUncached,
    tokens.inputCacheRead,
    tokens.inputCacheWrite5m,
    tokens.inputCacheWrite1h,
    tokens.audioInput,
  );
}

function count(value: Json | undefined): number | null {
  const number = numberOf(value);
  return number === undefined || !Number.isFinite(number) || number < 0 ? null : number;
}

function sum(...parts: readonly (number | null)[]): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}
