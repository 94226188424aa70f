import { GatewayError, type Json, type JsonObject, type Operation } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";

/** Members that give the model something to answer when `input` is absent or empty. */
const otherInputs = ["prompt", "previous_response_id", "conversation"] as const;

/**
 * Checks the members every request must have; all others are the provider's to judge.
 *
 * Throws `invalid_request` that names the member in `param`, and `operation_not_supported` for a request that is
 * to run in the background.
 */
export function validate(body: JsonObject, _operation: Operation): void {
  const { model, stream, input, background } = body;
  if (typeof model !== "string" || model === "") refuse("model", model, "a non-empty string");
  for (const [name, flag] of [["stream", stream], ["background", background]] as const) {
    if (flag !== undefined && flag !== null && typeof flag !== "boolean") {
      refuse(name, flag, "true or false");
    }
  }
  if (background === true) {
    throw new GatewayError(
      "operation_not_supported",
      "Cannot run the request in the background: the gateway answers only while the caller waits",
      { param: "background" },
    );
  }
  const empty = input === undefined || input === null || input === "" ||
    (Array.isArray(input) && input.length === 0);
  if (empty && otherInputs.some((name) => body[name] !== undefined && body[name] !== null)) return;
  if (empty) refuse("input", input, "a non-empty string or array");
  if (typeof input === "string") return;
  if (!Array.isArray(input)) refuse("input", input, "a string or an array");
  for (let at = 0; at < input.length; at++) {
    const item = input[at] as Json;
    if (!isObject(item)) refuse(`input[${at}]`, item, "an object");
    const { type, role } = item;
    if (type !== undefined && type !== null && typeof type !== "string") {
      refuse(`input[${at}].type`, type, "a string");
    }
    const isMessage = type === "message" || (typeof type !== "string" && item["id"] === undefined);
    if (isMessage && (typeof role !== "string" || role === "")) {
      refuse(`input[${at}].role`, role, "a non-empty string");
    }
  }
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
