import type { Json, JsonObject, WireError } from "@vmx/core/contract";
import { numberOf, objectOf, objectsOf, textOf } from "./read-json.ts";

/** Longest text of an unreadable error body that is taken as its message, in characters. */
const maxTextMessage = 500;

/**
 * Reads an error body: `{error: {code, message, status, details}}`, alone, in an array of one, or as the one event a
 * refused stream consists of.
 */
export function decodeError(status: number, body: string): WireError {
  const value = parse(body.replace(/^\s*data:/, ""));
  const error = readErrorMember(objectsOf(value)[0]?.["error"]);
  if (error) return error;
  const text = body.trim();
  const readable = text !== "" && text.length <= maxTextMessage && !/^[<{[]/.test(text);
  return {
    message: readable ? text : `The provider answered status ${status} without a readable error`,
    recognised: false,
  };
}

/**
 * Reads an `error` member; undefined when it holds none. `code` is the reason the details give, such as
 * `API_KEY_INVALID`, else the status's name; `type` is that name.
 */
export function readErrorMember(
  error: Json | undefined,
): (WireError & { readonly status?: number }) | undefined {
  const own = objectOf(error);
  if (!own) return undefined;
  const message = textOf(own["message"]);
  const type = textOf(own["status"]);
  const status = numberOf(own["code"]);
  return {
    message: message ?? "The provider reported an error without a message",
    code: reasonOf(own) ?? type ?? null,
    type: type ?? null,
    param: null,
    recognised: message !== undefined,
    ...(status !== undefined && status >= 400 && status < 600 ? { status } : {}),
  };
}

function reasonOf(error: JsonObject): string | undefined {
  const info = objectsOf(error["details"]).find((detail) =>
    textOf(detail["@type"])?.endsWith("google.rpc.ErrorInfo")
  );
  return textOf(info?.["reason"]);
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
