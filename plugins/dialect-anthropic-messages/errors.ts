import type { ErrorKind, Json, JsonObject, OutgoingError, WireError } from "@vmx/core/contract";
import { writeFrame } from "@vmx/core/kit";
import { objectOf, textOf } from "./read-json.ts";

const types: Readonly<Record<ErrorKind, string>> = {
  "invalid-request": "invalid_request_error",
  "authentication": "authentication_error",
  "permission": "permission_error",
  "not-found": "not_found_error",
  "conflict": "invalid_request_error",
  "too-large": "request_too_large",
  "rate-limit": "rate_limit_error",
  "timeout": "timeout_error",
  "overloaded": "overloaded_error",
  "internal": "api_error",
};

/** Types of the dialect, with the status each stands for (Messages API, "Errors"). */
const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  forbidden: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** Longest text of an unreadable error body that is taken as its message, in characters. */
const maxTextMessage = 500;

/** Writes an error body: `{type: "error", error: {type, message, code, details?}, request_id}`. */
export function encodeError(error: OutgoingError): JsonObject {
  // A type that came from another dialect's provider means nothing here.
  const own = error.type && Object.hasOwn(statuses, error.type) ? error.type : undefined;
  const body: Record<string, Json> = {
    type: own ?? types[error.kind],
    message: error.message,
    code: error.code,
  };
  if (error.details) body["details"] = error.details;
  return { type: "error", error: body, request_id: error.requestId };
}

/** Writes the frame that ends a stream after its head was sent. */
export function errorFrame(error: OutgoingError): string {
  return writeFrame({ event: "error", data: JSON.stringify(encodeError(error)) });
}

/** Reads an error body, which may be the dialect's, another service's, plain text or a proxy's page. */
export function decodeError(status: number, body: string): WireError {
  const value = parse(body);
  const error = value && readErrorBody(value);
  if (error) return error;
  const message = value && (textOf(value["message"]) ?? textOf(value["detail"]));
  if (message !== undefined) return { message, recognised: false };
  const text = body.trim();
  const readable = text !== "" && text.length <= maxTextMessage && !/^[<{["]|^null$/.test(text);
  return {
    message: readable ? text : `The provider answered status ${status} without a readable error`,
    recognised: false,
  };
}

/** Reads an error body or event; undefined when it holds none. `status` is what its type stands for. */
export function readErrorBody(
  body: JsonObject,
): (WireError & { readonly status?: number }) | undefined {
  const error = objectOf(body["error"]);
  if (!error) {
    const text = textOf(body["error"]);
    return text === undefined ? undefined : { message: text, recognised: false };
  }
  const message = textOf(error["message"]);
  const type = textOf(error["type"]) ?? null;
  const status = type !== null && Object.hasOwn(statuses, type) ? statuses[type] : undefined;
  const code = textOf(error["code"]) ?? textOf(objectOf(error["details"])?.["error_code"]) ?? null;
  return {
    message: message ?? "The provider reported an error without a message",
    code,
    type,
    recognised: body["type"] === "error" && message !== undefined,
    ...(status === undefined ? {} : { status }),
  };
}

function parse(text: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}
