import type { Json, JsonObject, Tokens } from "@vmx/core/contract";
import { compact, numberOf, objectOf } from "./read-json.ts";

/**
 * Reads a `usage` object into disjoint classes. A class the provider did not report is null; zero is a value.
 * Cached and audio tokens are parts of `prompt_tokens`, reasoning and audio tokens parts of `completion_tokens`
 * (OpenAI API reference, `CompletionUsage`). `prompt_cache_hit_tokens` is the spelling of DeepSeek.
 */
export function readTokens(usage: JsonObject): Tokens {
  const prompt = objectOf(usage["prompt_tokens_details"]) ?? {};
  const completion = objectOf(usage["completion_tokens_details"]) ?? {};
  const promptTotal = count(usage["prompt_tokens"]);
  // Embeddings report only what went in and a total.
  const completionTotal = count(usage["completion_tokens"]);
  const cacheRead = count(prompt["cached_tokens"]) ?? count(usage["prompt_cache_hit_tokens"]);
  const cacheWrite = count(prompt["cache_write_tokens"]);
  const audioInput = count(prompt["audio_tokens"]);
  const reasoning = count(completion["reasoning_tokens"]);
  const audioOutput = count(completion["audio_tokens"]);
  return {
    inputUncached: rest(promptTotal, cacheRead, cacheWrite, audioInput),
    inputCacheRead: cacheRead,
    inputCacheWrite5m: cacheWrite,
    inputCacheWrite1h: null,
    output: rest(completionTotal, reasoning, audioOutput),
    reasoning,
    audioInput,
    audioOutput,
    acceptedPrediction: count(completion["accepted_prediction_tokens"]),
    rejectedPrediction: count(completion["rejected_prediction_tokens"]),
    promptTotal,
    completionTotal,
  };
}

/** Writes token classes as a `usage` object; classes that were not reported are left out. */
export function writeTokens(tokens: Tokens, operation: "chat" | "embeddings"): JsonObject {
  const prompt = tokens.promptTotal ?? sum(
    tokens.inputUncached,
    tokens.inputCacheRead,
    tokens.inputCacheWrite5m,
    tokens.inputCacheWrite1h,
    tokens.audioInput,
  );
  if (operation === "embeddings") return { prompt_tokens: prompt, total_tokens: prompt };
  const completion = tokens.completionTotal ??
    sum(tokens.output, tokens.reasoning, tokens.audioOutput);
  const writes = tokens.inputCacheWrite5m === null && tokens.inputCacheWrite1h === null
    ? null
    : sum(tokens.inputCacheWrite5m, tokens.inputCacheWrite1h);
  const promptDetails = reported({
    cached_tokens: tokens.inputCacheRead,
    audio_tokens: tokens.audioInput,
    cache_write_tokens: writes,
  });
  const completionDetails = reported({
    reasoning_tokens: tokens.reasoning,
    audio_tokens: tokens.audioOutput,
    accepted_prediction_tokens: tokens.acceptedPrediction ?? null,
    rejected_prediction_tokens: tokens.rejectedPrediction ?? null,
  });
  return compact({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: promptDetails,
    completion_tokens_details: completionDetails,
  });
}

function count(value: Json | undefined): number | null {
  const number = numberOf(value);
  return number === undefined || !Number.isFinite(number) || number < 0 ? null : number;
}

/** What is left of a total. Providers that count a class beside the total must not drive it below zero. */
function rest(total: number | null, ...parts: readonly (number | null)[]): number | null {
  return total === null ? null : Math.max(0, total - sum(...parts));
}

function sum(...parts: readonly (number | null)[]): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}

function reported(details: Readonly<Record<string, number | null>>): JsonObject | undefined {
  const entries = Object.entries(details).filter(([, value]) => value !== null);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
