import { type Dialect, GatewayError } from "@vmx/core/contract";
import { decodeError } from "./errors.ts";
import { inbound } from "./inbound.ts";
import { readAnswer } from "./read-answer.ts";
import { dialectId } from "./read-json.ts";

const paths: Readonly<Record<string, string>> = {
  chat: "/chat/completions",
  embeddings: "/embeddings",
  models: "/models",
};

const soon = (): never => {
  throw new GatewayError("operation_not_supported", "Cannot translate: not written yet");
};

/** The wire language of OpenAI Chat Completions, Embeddings and Models. */
export const openaiChat: Dialect = {
  id: dialectId,
  operations: ["chat", "embeddings", "models"],
  decodeRequest: soon,
  encodeRequest: soon,
  requestPath({ operation }) {
    const path = paths[operation];
    if (path !== undefined) return path;
    throw new GatewayError(
      "operation_not_supported",
      `Cannot name a path: dialect "${dialectId}" has no operation "${operation}"`,
    );
  },
  decodeResponse: soon,
  encodeResponse: soon,
  streamDecoder: soon,
  streamEncoder: soon,
  decodeError,
  readAnswer,
  inbound,
};
