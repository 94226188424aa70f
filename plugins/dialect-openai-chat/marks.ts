import type { Json, JsonObject, Operation, Translated, Warning } from "@vmx/core/contract";
import { isObject, isPackedReasoning } from "@vmx/core/kit";
import { listOf, objectOf, pointer, textOf } from "./read-json.ts";
import { reasoningMembers } from "./reasoning.ts";

/**
 * Takes reasoning of other families out of assistant messages. Where the gateway packed its signature it also
 * wrote the text beside it, which this dialect's services have no place for.
 */
export function withoutMarks(body: JsonObject, _operation: Operation): Translated<JsonObject> {
  const warnings: Warning[] = [];
  const messages = listOf(body["messages"]).map((message, at): Json => {
    if (!isObject(message) || !listOf(message["reasoning_details"]).some(isMark)) return message;
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

function isMark(detail: Json): boolean {
  return isPackedReasoning(textOf(objectOf(detail)?.["data"]));
}
