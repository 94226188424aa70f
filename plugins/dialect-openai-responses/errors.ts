import type { Json, JsonObject, OutgoingError, WireError } from "@vmx/core/contract";
import { openaiChat } from "@vmx/dialect-openai-chat/dialect";
import { numberOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";

/** Reads an error body; both OpenAI dialects share its form. */
export const decodeError = (status: number, body: string): WireError =>
  openaiChat.decodeError(status, body);

/** Writes an error body: `{error: {message, type, code, param, details?}}`. */
export function encodeError(error: OutgoingError): JsonObject {
  // The chat dialect has an inbound side; its manifest says so.
  return openaiChat.inbound!.encodeError(error);
}

/**
 * Writes the event that ends a stream after its head was sent. The published reference has code and message in the event
 * itself; the service as recorded sends them in a member `error`, and the Python SDK raises only on that. Hence both.
 */
export function errorFrame(error: OutgoingError, sequence = 0): string {
  const { code, message, param } = error;
  const event = {
    type: "error",
    code,
    message,
    param: param ?? null,
    sequence_number: sequence,
    ...encodeError(error),
  };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

/** An error inside a stream or a failed response. */
export type StreamError = WireError & { readonly status?: number };

/**
 * Reads what an `error` event or a `response.failed` event tells. The error stands in the event itself, in its
 * `error`, or in its `response.error`.
 */
export function readStreamError(event: JsonObject): StreamError {
  const error = objectOf(objectOf(event["response"])?.["error"]) ?? objectOf(event["error"]) ??
    event;
  const message = textOf(error["message"]);
  const code = wordOf(error["code"]);
  const type = error === event ? undefined : textOf(error["type"]);
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

const statuses: Readonly<Record<string, number>> = {
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  rate_limit_error: 429,
  server_error: 500,
  vector_store_timeout: 504,
  invalid_prompt: 400,
  invalid_request_error: 400,
  context_length_exceeded: 400,
};

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
  for (const word of [code, type]) {
    if (word === undefined) continue;
    if (Object.hasOwn(statuses, word)) return statuses[word];
    // Codes about a picture or an address the caller named: `invalid_image_url`, `image_too_large`.
    if (/^(invalid|unsupported|empty|failed_to_download)_?.*image|^image_/.test(word)) return 400;
  }
  return undefined;
}

function wordOf(value: Json | undefined): string | undefined {
  return typeof value === "number" ? String(value) : textOf(value);
}
