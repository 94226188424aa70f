import type { Json, JsonObject } from "@vmx/core/contract";
import { textOf } from "@vmx/dialect-openai-chat/read-json";

/** The kind of an input or output item. Messages may come without a type, references to stored items too. */
export function itemType(item: JsonObject): string {
  const type = textOf(item["type"]);
  if (type !== undefined) return type;
  return item["role"] === undefined && item["id"] !== undefined ? "item_reference" : "message";
}

/** Whether a message's role makes it an instruction. */
export function isSystemRole(role: Json | undefined): boolean {
  return role === "system" || role === "developer";
}

/**
 * Whether the caller made the item: results of tools he ran and his answers to questions. All other items
 * that are not messages came from the model or its servers.
 */
export function isFromCaller(type: string): boolean {
  return callerItems.has(type);
}

const callerItems: ReadonlySet<string> = new Set([
  "function_call_output",
  "custom_tool_call_output",
  "computer_call_output",
  "local_shell_call_output",
  "shell_call_output",
  "apply_patch_call_output",
  "mcp_approval_response",
]);

/** Content parts of an item: those of a message, or those a tool's result is made of. */
export function contentOf(item: JsonObject): Json | undefined {
  const type = itemType(item);
  return type === "message" ? item["content"] : isFromCaller(type) ? item["output"] : undefined;
}
