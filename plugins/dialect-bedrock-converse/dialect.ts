import { type Dialect, GatewayError } from "@vmx/core/contract";
import { decodeRequest } from "./decode-request.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { encodeResponse } from "./encode-response.ts";
import { decodeError } from "./errors.ts";
import { readAnswer } from "./read-answer.ts";
import { dialectId } from "./read-json.ts";
import { streamDecoder } from "./stream-decoder.ts";
import { streamEncoder } from "./stream-encoder.ts";

/** The wire language of Amazon Bedrock: Converse and ConverseStream, and embeddings through InvokeModel. */
export const bedrockConverse: Dialect = {
  id: dialectId,
  operations: ["chat", "embeddings"],
  decodeRequest,
  encodeRequest,
  requestPath({ operation, model, stream }) {
    const base = `/model/${escapeSegment(model)}`;
    if (operation === "chat") return `${base}/${stream ? "converse-stream" : "converse"}`;
    if (operation === "embeddings") return `${base}/invoke`;
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
  // Beside bytes the service reads its own storage, nothing else.
  takesMediaUrl: (url) => url.startsWith("s3://"),
};

/** Escapes all that RFC 3986 does not leave alone, as the service's signatures require. */
function escapeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
