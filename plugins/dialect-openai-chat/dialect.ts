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
  chat: "/chat/completions",
  embeddings: "/embeddings",
  models: "/models",
};

/** The wire language of OpenAI Chat Completions, Embeddings and Models. */
export const openaiChat: Dialect = {
  id: dialectId,
  operations: ["chat", "embeddings", "models"],
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
  inbound,
};
