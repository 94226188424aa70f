import type { ErrorKind, Json, JsonObject, OutgoingError, WireError } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { listOf, numberOf, objectOf, textOf } from "./read-json.ts";

const types: Readonly<Record<ErrorKind, string>> = {
  "invalid-request": "invalid_request_error",
  "authentication": "authentication_error",
  "permission": "permission_error",
  "not-found": "not_found_error",
  "conflict": "invalid_request_error",
  "too-large": "invalid_request_error",
  "rate-limit": "rate_limit_error",
  "timeout": "timeout_error",
  "overloaded": "api_error",
  "internal": "api_error",
};

/** Longest text of an unreadable error body that is taken as its message, in characters. */
const maxTextMessage = 500;

/** Writes an error body: `{error: {message, type, code, param, details?}}`. */
export function encodeError(error: OutgoingError): JsonObject {
  const body: Record<string, Json> = {
    message: error.message,
    type: error.type ?? types[error.kind],
    code: error.code,
    param: error.param ?? null,
  };
  if (error.details) body["details"] = error.details;
  return { error: body };
}

/** Writes the frame that ends a stream after its head was sent. */
export function errorFrame(error: OutgoingError): string {
  return `data: ${JSON.stringify(encodeError(error))}\n\n`;
}

/** Reads an error body, which may be the dialect's, another service's, plain text or a proxy's page. */
export function decodeError(status: number, body: string): WireError {
  const value = parse(body);
  // Some gateways wrap the body into an array of one.
  const object = objectOf(value) ?? objectOf(listOf(value)[0]);
  if (object) {
    const error = readErrorMember(object["error"]);
    if (error) return { ...error, recognised: error.recognised && isObject(value) };
    const message = textOf(object["message"]) ?? textOf(object["detail"]);
    if (message !== undefined) {
      return {
        message,
        code: word(object["code"]),
        type: textOf(object["type"]),
        recognised: false,
      };
    }
  }
  const text = body.trim();
  const readable = text !== "" && text.length <= maxTextMessage && !/^[<{[]/.test(text);
  return {
    message: readable ? text : `The provider answered status ${status} without a readable error`,
    recognised: false,
  };
}

/** Reads an `error` member; undefined when it holds none. */
export function readErrorMember(
  error: Json | undefined,
): (WireError & { readonly status?: number }) | undefined {
  if (typeof error === "string" && error !== "") return { message: error, recognised: false };
  if (!isObject(error)) return undefined;
  const message = textOf(error["message"]);
  const code = word(error["code"]);
  const type = textOf(error["type"]);
  const status = statusOf(error, code, type);
  return {
    message: message ?? "The provider reported an error without a message",
    code: code ?? null,
    type: type ?? null,
    param: textOf(error["param"]) ?? null,
    recognised: message !== undefined,
    ...(status === undefined ? {} : { status }),
  };
}

/** The status an error inside a stream stands for, where it tells. */
function statusOf(
  error: JsonObject,
  code: string | undefined,
  type: string | undefined,
): number | undefined {
  for (const member of [error["status_code"], error["status"], error["code"]]) {
    const number = typeof member === "string" ? Number(member) : numberOf(member);
    if (number !== undefined && Number.isInteger(number) && number >= 400 && number < 600) {
      return number;
    }
  }
  if (code === "rate_limit_exceeded" || code === "insufficient_quota") return 429;
  if (type === "rate_limit_error") return 429;
  if (type === "invalid_request_error") return 400;
  if (type === "server_error") return 500;
  return undefined;
}

function word(value: Json | undefined): string | undefined {
  return typeof value === "number" ? String(value) : textOf(value);
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
