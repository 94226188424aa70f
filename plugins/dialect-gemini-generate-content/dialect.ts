import type { Dialect } from "@vmx/core/contract";
import { decodeRequest } from "./decode-request.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { encodeResponse } from "./encode-response.ts";
import { decodeError } from "./errors.ts";
import { takesMediaUrl } from "./media.ts";
import { requestPath } from "./model-path.ts";
import { readAnswer } from "./read-answer.ts";
import { dialectId } from "./read-json.ts";
import { streamDecoder } from "./stream-decoder.ts";
import { streamEncoder } from "./stream-encoder.ts";

/** The wire language of Gemini's generateContent, batchEmbedContents and countTokens. */
export const geminiGenerateContent: Dialect = {
  id: dialectId,
  operations: ["chat", "embeddings", "count-tokens"],
  decodeRequest,
  encodeRequest,
  requestPath,
  decodeResponse,
  encodeResponse,
  streamDecoder,
  streamEncoder,
  decodeError,
  readAnswer,
  takesMediaUrl,
};
