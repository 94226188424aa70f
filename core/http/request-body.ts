import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { GatewayError } from "../contract/index.ts";

/**
 * Reads a request's body to its end, decompressed. The limit holds for what comes out of the decompression.
 *
 * Throws `request_too_large`, or `invalid_request` for a body that breaks off or whose encoding is damaged or unknown.
 */
export async function readRequestBody(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(message.headers["content-length"]) > maxBytes) throw tooLarge(maxBytes);
  const decoder = createDecoder(message.headers["content-encoding"]);
  if (!decoder) return await collect(message, maxBytes);
  message.on("error", (error) => decoder.destroy(error));
  message.on("aborted", () => decoder.destroy());
  try {
    return await collect(message.pipe(decoder), maxBytes);
  } finally {
    message.unpipe(decoder);
    decoder.destroy();
  }
}

// Events, not async iteration: a request of one chunk would pay for it more than for its parsing.
function collect(source: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    source.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        source.pause();
        reject(tooLarge(maxBytes));
      } else chunks.push(chunk);
    });
    source.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)));
    source.on("error", (cause) => reject(broken(cause)));
    source.on("close", () => {
      // Errors are dear: none is made for the close that follows every end.
      if (!source.readableEnded) reject(broken(undefined));
    });
  });
}

function createDecoder(encoding: string | undefined): Duplex | undefined {
  if (encoding === undefined) return undefined;
  switch (encoding.trim().toLowerCase()) {
    case "":
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "br":
      return createBrotliDecompress();
    case "deflate":
      return createInflate();
    default:
      throw new GatewayError(
        "invalid_request",
        `Cannot read the body: content encoding "${encoding}" is not one of gzip, br, deflate`,
      );
  }
}

function broken(cause: unknown): GatewayError {
  return new GatewayError(
    "invalid_request",
    "Cannot read the body: it broke off or its content encoding is damaged",
    { cause },
  );
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(
    "request_too_large",
    `Cannot read the body: it exceeds ${maxBytes} bytes`,
  );
}
