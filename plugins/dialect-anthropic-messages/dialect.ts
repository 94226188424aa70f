import { type Dialect, GatewayError } from "@vmx/core/contract";
import { decodeRequest } from "./decode-request.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { encodeResponse } from "./encode-response.ts";
import { decodeError } from "./errors.ts";
import { inbound } from "./inbound.ts";
import { readAnswer } from "./read-answer.ts";
import { dialectId } from "./read-json.ts";
import { streamDecoder } from "./stream-decoder.ts";
import { streamEncoder } from "./stream-encoder.ts";

const paths: Readonly<Record<string, string>> = {
  "chat": "/messages",
  "count-tokens": "/messages/count_tokens",
  "models": "/models",
};

/**
 * The wire language of Anthropic Messages. Paths stand below a base URL that ends with the version, such as
 * `https://host/v1`. The members of its profile are those of `MessagesProfile`.
 */
export const anthropicMessages: Dialect = {
  id: dialectId,
  operations: ["chat", "count-tokens", "models"],
  decodeRequest,
  encodeRequest,
  requestPath({ operation }) {
    const path = paths[operation];
    if (path !== undefined) return path;
    throw new GatewayError(
      "operation_not_supported",
      `Cannot name a path: dialect "${dialectId}" has no operation "${operation}"`,
    );
  },
  decodeResponse,
  encodeResponse,
  streamDecoder,
  streamEncoder,
  decodeError,
  readAnswer,
  // Images and PDF documents; other types have to be in the body.
  takesMediaUrl: (url, mediaType) =>
    /^https?:\/\//i.test(url) &&
    (mediaType === undefined || /^image\/|^application\/pdf$/i.test(mediaType)),
  inbound,
};
