import { GatewayError, type Json, type JsonObject, type Operation } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";

/**
 * Checks the members every request must have; all others are the provider's to judge.
 *
 * Throws `invalid_request` that names the member in `param`.
 */
export function validate(body: JsonObject, _operation: Operation): void {
  const { model, stream } = body;
  if (typeof model !== "string" || model === "") refuse("model", model, "a non-empty string");
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
    refuse("stream", stream, "true or false");
  }
  validateMessages(body["messages"]);
}

/** Checks `messages`. Throws `invalid_request` that names the member in `param`. */
export function validateMessages(messages: Json | undefined): void {
  if (!Array.isArray(messages) || messages.length === 0) {
    refuse("messages", messages, "a non-empty array");
  }
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at] as Json;
    if (!isObject(message)) refuse(`messages[${at}]`, message, "an object");
    const { role, content } = message;
    if (role !== "user" && role !== "assistant" && role !== "system") {
      refuse(`messages[${at}].role`, role, '"user", "assistant" or "system"');
    }
    if (typeof content !== "string" && !Array.isArray(content)) {
      refuse(`messages[${at}].content`, content, "a string or an array");
    }
  }
}

function refuse(param: string, value: Json | undefined, wanted: string): never {
  const found = value === undefined ? "is missing" : `must be ${wanted}, not ${describe(value)}`;
  throw new GatewayError("invalid_request", `Cannot read the request: ${param} ${found}`, {
    param,
  });
}

function describe(value: Json): string {
  if (value === null) return "null";
  if (value === "") return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value === "string") return `"${value.slice(0, 40)}"`;
  return isObject(value) ? "an object" : `a ${typeof value}`;
}
