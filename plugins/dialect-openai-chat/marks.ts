import type { Json, JsonObject, Operation, Translated, Warning } from "@vmx/core/contract";
import { isObject, unpackReasoning } from "@vmx/core/kit";
import { listOf, objectOf, pointer, textOf } from "./read-json.ts";
import { reasoningMembers } from "./reasoning.ts";

/**
 * Takes reasoning of other families out of assistant messages. Where the gateway packed its signature it also
 * wrote the text beside it, which this dialect's services have no place for.
 */
export function withoutMarks(
  body: JsonObject,
  _operation: Operation,
  family?: string,
): Translated<JsonObject> {
  const warnings: Warning[] = [];
  const isForeign = (detail: Json): boolean => {
    const packed = textOf(objectOf(detail)?.["data"]);
    const found = packed === undefined ? undefined : unpackReasoning(packed);
    return found !== undefined && found.family !== family;
  };
  const messages = listOf(body["messages"]).map((message, at): Json => {
    if (!isObject(message) || !listOf(message["reasoning_details"]).some(isForeign)) return message;
    warnings.push({
      code: "reasoning_dropped",
      path: pointer("messages", at, "reasoning_details"),
      action: "dropped",
      detail: "The reasoning belongs to another provider",
    });
    const names = new Set<string>(["reasoning_details", ...reasoningMembers]);
    return Object.fromEntries(Object.entries(message).filter(([name]) => !names.has(name)));
  });
  return { value: warnings.length === 0 ? body : { ...body, messages }, warnings };
}
