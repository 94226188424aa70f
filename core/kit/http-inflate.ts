import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { GatewayError } from "../contract/errors.ts";
import { ProviderFailure } from "../contract/provider.ts";
import { invalidAnswer } from "./http-failure.ts";

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Inflates a body that came encoded although none was asked for.
 * Throws `upstream_invalid_response` for an unknown or stacked encoding; reading throws it for damaged data and
 * past `maxBytes` inflated bytes.
 */
export function inflateBody(
  body: AsyncIterable<Uint8Array>,
  encoding: string,
  maxBytes: number,
): AsyncIterable<Uint8Array> {
  const name = encoding.trim().toLowerCase();
  const create = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (create === undefined) {
    throw invalidAnswer(`it has the content encoding "${name.slice(0, 40)}"`);
  }
  return inflated(body, create(), maxBytes);
}

async function* inflated(
  body: AsyncIterable<Uint8Array>,
  decoder: Transform,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  // Errors reach the loop below through the decoder, which pipeline destroys with them.
  pipeline(Readable.from(body), decoder, () => {});
  let size = 0;
  try {
    for await (const chunk of decoder as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) throw invalidAnswer(`it inflates to more than ${maxBytes} bytes`);
      yield chunk;
    }
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const damaged = typeof code === "string" &&
      /^(Z_|ERR_(BROTLI|_ERROR|PADDING)|ERR__)/.test(code);
    if (error instanceof GatewayError || error instanceof ProviderFailure || !damaged) throw error;
    throw invalidAnswer("its content encoding is damaged", error);
  }
}
