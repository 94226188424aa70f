import type { Json, JsonObject } from "@vmx/core/contract";
import { isObject, mergeObjects } from "@vmx/core/kit";

/** Members of a delta that gave no block. */
export function restOf(delta: JsonObject): JsonObject {
  const { role, content: _content, ...rest } = delta;
  const out: Record<string, Json> = {};
  if (role !== undefined && role !== "assistant" && role !== "") out["role"] = role;
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    const isBlock = blockMembers.has(name) &&
      (Array.isArray(value) ? value.length > 0 : value !== null && value !== "");
    if (!isBlock) out[name] = value;
  }
  return out;
}

const blockMembers: ReadonlySet<string> = new Set([
  "reasoning_content",
  "reasoning",
  "reasoning_details",
  "refusal",
  "audio",
  "images",
  "annotations",
  "tool_calls",
  "function_call",
]);

/** Later values win over earlier ones, but a null never does; lists grow. */
export function mergeRest(before: JsonObject, after: JsonObject): JsonObject {
  const names = Object.keys(after);
  if (names.length === 0) return before;
  const out: Record<string, Json | undefined> = { ...before };
  for (const name of names) {
    const value = after[name];
    const old = out[name];
    if (value === undefined || (value === null && old !== undefined)) continue;
    out[name] = Array.isArray(old) && Array.isArray(value)
      ? [...old as Json[], ...value as Json[]]
      : isObject(old) && isObject(value)
      ? mergeObjects(old, value)
      : value;
  }
  return out;
}

/** Log probabilities without the tokens that went to the text. */
export function restOfLogprobs(
  logprobs: Json,
  tokens: readonly Json[],
  spoken: string | undefined,
): Json {
  if (!isObject(logprobs) || tokens.length === 0 || spoken !== "text") return logprobs;
  const { content: _content, ...rest } = logprobs;
  return rest;
}
