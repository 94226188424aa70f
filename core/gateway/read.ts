import { isUtf8 } from "node:buffer";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { Readable } from "node:stream";
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
  const text = bytes.toString("utf8");
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

async function readBytes(exchange: Exchange, maxBytes: number): Promise<Buffer> {
  const { headers, body } = exchange.request;
  if (Number(headers["content-length"]) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of decompress(body, headers["content-encoding"])) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (exchange.signal.aborted) throw exchange.signal.reason;
    throw bad("it broke off or its content encoding is damaged", undefined, error);
  }
  return chunks.length === 1
    ? Buffer.from(chunks[0]!.buffer, chunks[0]!.byteOffset, size)
    : Buffer.concat(chunks, size);
}

function decompress(
  body: AsyncIterable<Uint8Array>,
  encoding: string | undefined,
): AsyncIterable<Uint8Array> {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return through(body, createGunzip());
    case "br":
      return through(body, createBrotliDecompress());
    case "deflate":
      return through(body, createInflate());
    default:
      throw bad(`content encoding "${encoding}" is not one of gzip, br, deflate`);
  }
}

function through(
  body: AsyncIterable<Uint8Array>,
  decoder: NodeJS.ReadWriteStream & { destroy(error?: Error): void },
): AsyncIterable<Uint8Array> {
  const source = Readable.from(body);
  source.on("error", (error) => decoder.destroy(error));
  return source.pipe(decoder) as unknown as AsyncIterable<Uint8Array>;
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

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(
    "request_too_large",
    `Cannot read the body: it exceeds ${maxBytes} bytes`,
  );
}

function bad(reason: string, param?: string, cause?: unknown): GatewayError {
  return new GatewayError("invalid_request", `Cannot read the body: ${reason}`, {
    cause,
    ...(param === undefined ? {} : { param }),
  });
}
