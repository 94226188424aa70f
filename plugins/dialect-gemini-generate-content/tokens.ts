import type { Json, JsonObject, Tokens, UsagePart } from "@vmx/core/contract";
import { compact, native, numberOf, objectsOf, ownNative, textOf } from "./read-json.ts";

/**
 * Reads `usageMetadata` into disjoint classes; undefined when it counts nothing. Null is not reported, zero is a
 * value. `promptTokenCount` includes what was cached and excludes what tools put in; `candidatesTokenCount` excludes
 * thoughts and is left out when nothing was said, which the total tells (Gemini API, `UsageMetadata`).
 */
export function readTokens(usage: JsonObject): Tokens | undefined {
  const prompt = count(usage["promptTokenCount"]);
  const tools = count(usage["toolUsePromptTokenCount"]);
  const cached = count(usage["cachedContentTokenCount"]);
  const thoughts = count(usage["thoughtsTokenCount"]);
  const total = count(usage["totalTokenCount"]);
  const candidates = count(usage["candidatesTokenCount"]) ??
    (total === null || prompt === null
      ? null
      : Math.max(0, total - prompt - (tools ?? 0) - (thoughts ?? 0)));
  if ([prompt, tools, cached, thoughts, candidates].every((each) => each === null)) {
    return undefined;
  }
  const promptTotal = prompt === null && tools === null ? null : (prompt ?? 0) + (tools ?? 0);
  const completionTotal = candidates === null && thoughts === null
    ? null
    : (candidates ?? 0) + (thoughts ?? 0);
  const audioCached = audioOf(usage["cacheTokensDetails"]) ?? 0;
  const audioIn = audioOf(usage["promptTokensDetails"]);
  const audioInput = audioIn === null ? null : Math.max(0, audioIn - audioCached);
  const audioOutput = audioOf(usage["candidatesTokensDetails"]);
  return {
    inputUncached: rest(promptTotal, cached, audioInput),
    inputCacheRead: cached,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output: rest(candidates, audioOutput),
    reasoning: thoughts,
    audioInput,
    audioOutput,
    promptTotal,
    completionTotal,
  };
}

/** Reads `usageMetadata` as a part, which keeps it as it stands for answers of this dialect. */
export function readUsage(usage: JsonObject | undefined): UsagePart[] {
  const tokens = usage && readTokens(usage);
  if (!tokens) return [];
  const tier = textOf(usage["serviceTier"]);
  return [{
    type: "usage",
    tokens,
    ...(tier === undefined ? {} : { serviceTier: tier.toLowerCase() }),
    native: native(usage),
  }];
}

/** Writes usage: as the service spelled it where it speaks this dialect. */
export function writeUsage(usage: UsagePart): JsonObject {
  const own = ownNative(usage);
  if (own) return own;
  const { tokens } = usage;
  const prompt = tokens.promptTotal ?? sum(
    tokens.inputUncached,
    tokens.inputCacheRead,
    tokens.inputCacheWrite5m,
    tokens.inputCacheWrite1h,
    tokens.audioInput,
  );
  const spoken = tokens.output === null && tokens.audioOutput === null
    ? null
    : sum(tokens.output, tokens.audioOutput);
  const completion = tokens.completionTotal ?? sum(spoken, tokens.reasoning);
  const details = (audio: number | null, all: number): JsonObject[] | undefined =>
    audio === null ? undefined : [
      { modality: "TEXT", tokenCount: Math.max(0, all - audio) },
      { modality: "AUDIO", tokenCount: audio },
    ];
  const counted = { cachedContentTokenCount: tokens.inputCacheRead ?? undefined };
  // Vectors and counts have no completion at all.
  if (spoken === null && tokens.reasoning === null && (tokens.completionTotal ?? null) === null) {
    return compact({ promptTokenCount: prompt, ...counted });
  }
  return compact({
    promptTokenCount: prompt,
    ...counted,
    candidatesTokenCount: spoken ?? Math.max(0, completion - (tokens.reasoning ?? 0)),
    thoughtsTokenCount: tokens.reasoning ?? undefined,
    totalTokenCount: prompt + completion,
    promptTokensDetails: details(tokens.audioInput, prompt),
    candidatesTokensDetails: details(tokens.audioOutput, spoken ?? 0),
    serviceTier: usage.serviceTier,
  });
}

function audioOf(details: Json | undefined): number | null {
  const audio = objectsOf(details).filter((each) =>
    // Some clients ask for numbers in place of names.
    each["modality"] === "AUDIO" || each["modality"] === 4
  );
  return audio.length === 0 ? null : sum(...audio.map((each) => count(each["tokenCount"])));
}

function count(value: Json | undefined): number | null {
  // 64-bit counts may come as text.
  const number = typeof value === "string" && /^\d{1,15}$/.test(value)
    ? Number(value)
    : numberOf(value);
  return number === undefined || !Number.isFinite(number) || number < 0 ? null : number;
}

function rest(total: number | null, ...parts: readonly (number | null)[]): number | null {
  return total === null ? null : Math.max(0, total - sum(...parts));
}

function sum(...parts: readonly (number | null)[]): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}
