import type { Json, JsonObject, Tokens } from "@vmx/core/contract";
import { listOf, numberOf, objectOf } from "@vmx/dialect-openai-chat/read-json";

/**
 * Reads the usage of a response into disjoint classes; undefined when it reports none. A class that is not
 * reported is null; zero is a value. Cached tokens are part of `input_tokens`, reasoning tokens part of
 * `output_tokens` (OpenAI API reference, `ResponseUsage`).
 */
export function readTokens(response: JsonObject): Tokens | undefined {
  const usage = objectOf(response["usage"]);
  if (!usage) return undefined;
  const input = objectOf(usage["input_tokens_details"]) ?? {};
  const output = objectOf(usage["output_tokens_details"]) ?? {};
  const promptTotal = count(usage["input_tokens"]);
  const completionTotal = count(usage["output_tokens"]);
  const cacheRead = count(input["cached_tokens"]);
  const cacheWrite = count(input["cache_write_tokens"]);
  const audioInput = count(input["audio_tokens"]);
  const reasoning = count(output["reasoning_tokens"]);
  const audioOutput = count(output["audio_tokens"]);
  const webSearchRequests = countSearches(response);
  return {
    inputUncached: rest(promptTotal, cacheRead, cacheWrite, audioInput),
    inputCacheRead: cacheRead,
    inputCacheWrite5m: cacheWrite,
    inputCacheWrite1h: null,
    output: rest(completionTotal, reasoning, audioOutput),
    reasoning,
    audioInput,
    audioOutput,
    promptTotal,
    completionTotal,
    ...(webSearchRequests === null ? {} : { webSearchRequests }),
  };
}

/** Writes token classes as a `usage` object; details that were not reported are left out. */
export function writeTokens(tokens: Tokens): JsonObject {
  const input = tokens.promptTotal ?? sum(
    tokens.inputUncached,
    tokens.inputCacheRead,
    tokens.inputCacheWrite5m,
    tokens.inputCacheWrite1h,
    tokens.audioInput,
  );
  const output = tokens.completionTotal ??
    sum(tokens.output, tokens.reasoning, tokens.audioOutput);
  const writes = tokens.inputCacheWrite5m === null && tokens.inputCacheWrite1h === null
    ? null
    : sum(tokens.inputCacheWrite5m, tokens.inputCacheWrite1h);
  return {
    input_tokens: input,
    input_tokens_details: reported({
      cached_tokens: tokens.inputCacheRead,
      cache_write_tokens: writes,
      audio_tokens: tokens.audioInput,
    }),
    output_tokens: output,
    output_tokens_details: reported({
      reasoning_tokens: tokens.reasoning,
      audio_tokens: tokens.audioOutput,
    }),
    total_tokens: input + output,
  };
}

/** Web searches, as `tool_usage` reports them; else each search call in the output counts. */
function countSearches(response: JsonObject): number | null {
  const reported = count(
    objectOf(objectOf(response["tool_usage"])?.["web_search"])?.["num_requests"],
  );
  if (reported !== null) return reported;
  const calls = listOf(response["output"])
    .filter((item) => objectOf(item)?.["type"] === "web_search_call").length;
  return calls > 0 ? calls : null;
}

function count(value: Json | undefined): number | null {
  const number = numberOf(value);
  return number === undefined || !Number.isFinite(number) || number < 0 ? null : number;
}

/** What is left of a total. Services that count a class beside the total must not drive it below zero. */
function rest(total: number | null, ...parts: readonly (number | null)[]): number | null {
  return total === null ? null : Math.max(0, total - sum(...parts));
}

function sum(...parts: readonly (number | null)[]): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}

function reported(details: Readonly<Record<string, number | null>>): JsonObject {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== null));
}
