import { GatewayError, type Json, type JsonObject, type Operation } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";

/**
 * Checks the members every request of the operation must have; all others are the provider's to judge.
 *
 * Throws `invalid_request` that names the member in `param`.
 */
export function validate(body: JsonObject, operation: Operation): void {
  const { model, stream } = body;
  if (typeof model !== "string" || model === "") refuse("model", model, "a non-empty string");
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
    refuse("stream", stream, "true or false");
  }
  if (operation === "embeddings") return checkInput(body["input"]);
  if (operation === "chat") checkMessages(body["messages"]);
}

function checkMessages(messages: Json | undefined): void {
  if (!Array.isArray(messages) || messages.length === 0) {
    refuse("messages", messages, "a non-empty array");
  }
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at] as Json;
    if (!isObject(message)) refuse(`messages[${at}]`, message, "an object");
    const { role } = message;
    if (typeof role !== "string" || role === "") {
      refuse(`messages[${at}].role`, role, "a non-empty string");
    }
  }
}

function checkInput(input: Json | undefined): void {
  const filled = typeof input === "string"
    ? input !== ""
    : Array.isArray(input) && input.length > 0;
  if (!filled) refuse("input", input, "a non-empty string or array");
}

function refuse(param: string, value: Json | undefined, wanted: string): never {
  const found = value === undefined
    ? "is missing"
    : `must be ${wanted}, not ${
      value === null
        ? "null"
        : value === ""
        ? "empty"
        : Array.isArray(value)
        ? value.length === 0 ? "an empty array" : "an array"
        : isObject(value)
        ? "an object"
        : `a ${typeof value}`
    }`;
  throw new GatewayError("invalid_request", `Cannot read the request: ${param} ${found}`, {
    param,
  });
}
