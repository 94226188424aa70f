import type { Json, JsonObject, Operation, Translated, Warning } from "@vmx/core/contract";
import { isObject, isPackedReasoning } from "@vmx/core/kit";
import { listOf, pointer, textOf } from "./read-json.ts";

/**
 * Takes out thinking that came from answers of another family: its signature is packed or empty, and the provider
 * would refuse the request. A message that held nothing else goes with it.
 */
export function withoutMarks(body: JsonObject, _operation: Operation): Translated<JsonObject> {
  const warnings: Warning[] = [];
  const messages: Json[] = [];
  listOf(body["messages"]).forEach((message, at) => {
    const content = isObject(message) ? message["content"] : undefined;
    if (!isObject(message) || message["role"] !== "assistant" || !Array.isArray(content)) {
      messages.push(message);
      return;
    }
    const blocks = content as readonly Json[];
    const kept = blocks.filter((block, place) => {
      if (!isObject(block) || !isForeign(block)) return true;
      warnings.push({
        code: "reasoning_dropped",
        path: pointer("messages", at, "content", place),
        action: "dropped",
        detail: "The reasoning belongs to another provider",
      });
      return false;
    });
    if (kept.length === blocks.length) messages.push(message);
    else if (kept.length > 0) messages.push({ ...message, content: kept });
  });
  return warnings.length === 0
    ? { value: body, warnings }
    : { value: { ...body, messages }, warnings };
}

function isForeign(block: JsonObject): boolean {
  if (block["type"] === "redacted_thinking") return isPackedReasoning(textOf(block["data"]));
  if (block["type"] !== "thinking") return false;
  const signature = textOf(block["signature"]);
  return signature === "" || isPackedReasoning(signature);
}
