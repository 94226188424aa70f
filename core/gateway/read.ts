import { isUtf8 } from "node:buffer";
import type { JsonObject } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { duplicateMember, isObject, type ObjectSpan, scanObject } from "../kit/index.ts";
import type { Exchange, RequestBody } from "./exchange.ts";
import { readEnvelope } from "./envelope.ts";

const limits = { maxDepth: 64, maxKeys: 500_000 };

/**
 * Reads the body under the size limit, parses it once, checks what every request must have, and takes the
 * envelope out of body and headers.
 *
 * Throws `request_too_large` and `invalid_request`, naming the member at fault.
 */
export async function read(exchange: Exchange): Promise<RequestBody> {
  const { request, services, dialect } = exchange;
  const bytes = await readBytes(exchange, services.limits.maxBodyBytes);
  if (!isUtf8(bytes)) throw bad("it is not valid UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const value = parse(text);
  const span = scan(text);
  const twice = duplicateMember(span);
  if (twice !== undefined) throw bad(`member "${twice}" stands twice`, twice);
  dialect.inbound.validate(value, request.endpoint.operation);
  exchange.envelope = readEnvelope(value["vmx"], request.headers);
  return {
    text,
    value,
    model: value["model"] as string,
    stream: value["stream"] === true,
  };
}

async function readBytes(exchange: Exchange, maxBytes: number): Promise<Uint8Array> {
  try {
    return await exchange.request.readBody(maxBytes);
  } catch (error) {
    throw exchange.signal.aborted ? exchange.signal.reason : error;
  }
}

function parse(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(text.trim() === "" ? "it is empty" : "it is not valid JSON", undefined, error);
  }
  if (!isObject(value)) throw bad("it is not a JSON object");
  return value;
}

function scan(text: string): ObjectSpan {
  return scanObject(text, 0, limits);
}

function bad(reason: string, param?: string, cause?: unknown): GatewayError {
  return new GatewayError("invalid_request", `Cannot read the body: ${reason}`, {
    cause,
    ...(param === undefined ? {} : { param }),
  });
}
