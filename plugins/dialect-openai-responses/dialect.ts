import { type Dialect, GatewayError } from "@vmx/core/contract";
import { decodeRequest } from "./decode-request.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { encodeResponse } from "./encode-response.ts";
import { decodeError } from "./errors.ts";
import { inbound } from "./inbound.ts";
import { dialectId } from "./native.ts";
import { readAnswer } from "./read-answer.ts";
import { createStreamDecoder } from "./stream-decoder.ts";
import { createStreamEncoder } from "./stream-encoder.ts";

export { statefulMembers } from "./state.ts";

/** The wire language of OpenAI Responses. */
export const openaiResponses: Dialect = {
  id: dialectId,
  operations: ["chat"],
  decodeRequest,
  encodeRequest,
  requestPath({ operation }) {
    if (operation === "chat") return "/responses";
    throw new GatewayError(
      "operation_not_supported",
      `Cannot name a path: dialect "${dialectId}" has no operation "${operation}"`,
    );
  },
  decodeResponse,
  encodeResponse,
  streamDecoder: createStreamDecoder,
  streamEncoder: createStreamEncoder,
  decodeError,
  readAnswer,
  inbound,
};
