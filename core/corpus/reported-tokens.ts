import type { JsonObject } from "../contract/index.ts";

/** Tokens of an answer as the service itself counted them; null for what it did not report. */
export interface ReportedTokens {
  readonly prompt: number | null;
  readonly completion: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  readonly reasoning: number | null;
}

type Usage = Readonly<Record<string, unknown>>;

/**
 * Reads the usage out of the JSON documents of an answer (the body, or the data of each frame) by the members each
 * service documents, apart from all dialects. Undefined when nothing was reported.
 */
export function reportedTokens(documents: readonly JsonObject[]): ReportedTokens | undefined {
  let usage: Record<string, unknown> | undefined;
  for (const document of documents) {
    const found = usageIn(document);
    // Later frames say more, and what they repeat is newer.
    if (found) usage = { ...usage, ...withoutNull(found) };
  }
  return usage && Object.keys(usage).length > 0 ? read(usage) : undefined;
}

function usageIn(document: JsonObject): Usage | undefined {
  const places = [
    document["usage"],
    document["usageMetadata"],
    member(document["response"], "usage"),
    member(document["message"], "usage"),
    member(document["x_groq"], "usage"),
    member(document["metadata"], "usage"),
  ];
  return places.find((place) => typeof place === "object" && place !== null) as Usage | undefined;
}

function read(usage: Usage): ReportedTokens {
  const number = (...names: string[]) => {
    for (const name of names) {
      const value = name.split(".").reduce<unknown>(member, usage);
      if (typeof value === "number") return value;
    }
    return null;
  };
  if ("promptTokenCount" in usage || "totalTokenCount" in usage) {
    const prompt = sum(number("promptTokenCount"), number("toolUsePromptTokenCount"));
    const total = number("totalTokenCount");
    return {
      prompt,
      // What was refused has no candidates, and says so by its total alone.
      completion: sum(number("candidatesTokenCount"), number("thoughtsTokenCount")) ??
        (total === null ? null : total - (prompt ?? 0)),
      cacheRead: number("cachedContentTokenCount"),
      cacheWrite: null,
      reasoning: number("thoughtsTokenCount"),
    };
  }
  const cacheRead = number("cache_read_input_tokens", "cacheReadInputTokens");
  const cacheWrite = number("cache_creation_input_tokens", "cacheWriteInputTokens");
  // Two services count what the cache had apart from the input, the others within it.
  const isApart = cacheRead !== null || cacheWrite !== null;
  const input = number("prompt_tokens", "input_tokens", "inputTokens");
  return {
    prompt: isApart ? sum(input, cacheRead, cacheWrite) : input,
    completion: number("completion_tokens", "output_tokens", "outputTokens"),
    cacheRead: cacheRead ??
      number("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
    cacheWrite: cacheWrite ?? number("input_tokens_details.cache_write_tokens"),
    reasoning: number(
      "completion_tokens_details.reasoning_tokens",
      "output_tokens_details.reasoning_tokens",
      "output_tokens_details.thinking_tokens",
    ),
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function withoutNull(usage: Usage): Usage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}

function sum(...counts: readonly (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0);
}
