import type { ErrorPart, Frame, Json, JsonObject, WireError } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { native, objectOf, textOf } from "./read-json.ts";

/** Longest text of an unreadable error body that is taken as its message, in characters. */
const maxTextMessage = 500;

/**
 * Status of exceptions by name, in lower case and without the ending (API reference, errors of `ConverseStream` and
 * `InvokeModel`). A model that breaks off counts as a bad gateway, whatever status the model's own host had.
 */
const statuses: Readonly<Record<string, number>> = {
  throttling: 429,
  toomanyrequests: 429,
  modelnotready: 429,
  servicequotaexceeded: 429,
  modelstreamerror: 502,
  modelerror: 502,
  modeltimeout: 408,
  validation: 400,
  serviceunavailable: 503,
  internalserver: 500,
  internalfailure: 500,
  accessdenied: 403,
  unrecognizedclient: 403,
  expiredtoken: 403,
  resourcenotfound: 404,
};

/** The status an exception stands for; undefined for one that is not known. */
export function statusOfException(name: string): number | undefined {
  const key = name.replace(/^.*#|:.*$/g, "").replace(/(Exception|Error)$/, "").toLowerCase();
  return statuses[key] ?? statuses[`${key}error`];
}

/** Reads an error body, which may be the service's, plain text or a proxy's page. */
export function decodeError(status: number, body: string): WireError {
  const value = parse(body);
  const object = objectOf(value);
  const message = textOf(object?.["message"]) ?? textOf(object?.["Message"]);
  if (message !== undefined) {
    const type = textOf(object?.["__type"])?.replace(/^.*#/, "") ?? null;
    return { message, code: null, type, recognised: true };
  }
  const nested = objectOf(object?.["error"]);
  const said = textOf(nested?.["message"]) ?? textOf(object?.["error"]);
  if (said !== undefined) return { message: said, recognised: false };
  const text = body.trim();
  const readable = text !== "" && text.length <= maxTextMessage && !/^[<{[]/.test(text) &&
    value !== null;
  return {
    message: readable ? text : `The provider answered status ${status} without a readable error`,
    recognised: false,
  };
}

/** Reads an exception inside a stream; undefined for an ordinary event. */
export function readException({ event, data }: Frame): ErrorPart | undefined {
  if (event === undefined || !/(exception|error)$/i.test(event)) return undefined;
  const value = parse(data);
  const body = isObject(value) ? value : {};
  // A fault of the framing itself names itself in the body.
  const name = event === "error" ? textOf(body["code"]) ?? event : event;
  const status = statusOfException(name) ?? 502;
  const message = textOf(body["message"]) ?? textOf(body["Message"]) ??
    `The provider broke off with ${name}`;
  if (status === 403) {
    return {
      type: "error",
      status: 502,
      code: "upstream_authentication_error",
      message: "The provider refused the stored credential",
      native: native(original(event, body)),
    };
  }
  return { type: "error", status, code: name, message, native: native(original(event, body)) };
}

/** Writes an error as an exception of the stream. */
export function writeException(part: ErrorPart): Frame {
  const own = part.native?.dialect === "bedrock-converse" ? objectOf(part.native.value) : undefined;
  const event = textOf(own?.["event"]);
  if (event !== undefined) return { event, data: JSON.stringify(own?.["data"] ?? {}) };
  const name = exceptions[part.status ?? 502] ?? "modelStreamErrorException";
  return { event: name, data: JSON.stringify({ message: part.message }) };
}

const exceptions: Readonly<Record<number, string>> = {
  400: "validationException",
  403: "accessDeniedException",
  429: "throttlingException",
  500: "internalServerException",
  503: "serviceUnavailableException",
};

function original(event: string, data: JsonObject): JsonObject {
  return { event, data };
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
