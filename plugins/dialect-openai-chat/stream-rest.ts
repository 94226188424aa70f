import type { Json, JsonObject } from "@vmx/core/contract";
import { isObject, mergeObjects } from "@vmx/core/kit";

/** Adds members of a delta that gave no block. */
export function addRestOf(before: JsonObject, delta: JsonObject): JsonObject {
  let rest = before;
  for (const name in delta) {
    const value = delta[name];
    if (value === undefined || name === "content") continue;
    if (name === "role" ? value === "assistant" || value === "" : isBlock(name, value)) continue;
    rest = addMember(rest, name, value);
  }
  return rest;
}

function isBlock(name: string, value: Json): boolean {
  return blockMembers.has(name) &&
    (Array.isArray(value) ? value.length > 0 : value !== null && value !== "");
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

/** Adds members of a chunk's choice that have no place of their own. */
export function addRestOfChoice(
  before: JsonObject,
  element: JsonObject,
  tokens: readonly Json[],
  spoken: string | undefined,
): JsonObject {
  let rest = before;
  for (const name in element) {
    const value = element[name];
    if (value === undefined || choiceMembers.has(name)) continue;
    const left = name === "logprobs" ? restOfLogprobs(value, tokens, spoken) : value;
    rest = addMember(rest, name, left);
  }
  return rest;
}

const choiceMembers: ReadonlySet<string> = new Set(["index", "delta", "message", "finish_reason"]);

/** Later values win over earlier ones, but a null never does; lists grow. */
function addMember(rest: JsonObject, name: string, value: Json): JsonObject {
  const old = rest[name];
  if (value === null && old !== undefined) return rest;
  const grown = Array.isArray(old) && Array.isArray(value)
    ? [...old as Json[], ...value as Json[]]
    : isObject(old) && isObject(value)
    ? mergeObjects(old, value)
    : value;
  return { ...rest, [name]: grown };
}

/** Log probabilities without the tokens that went to the text. */
function restOfLogprobs(
  logprobs: Json,
  tokens: readonly Json[],
  spoken: string | undefined,
): Json {
  if (!isObject(logprobs) || tokens.length === 0 || spoken !== "text") return logprobs;
  const { content: _content, ...rest } = logprobs;
  return rest;
}
