import { createHash } from "node:crypto";
import type { EmbeddingPart, EmbeddingsInput } from "@vmx/core/contract";

const defaultDimensions = 16;
const mostDimensions = 4096;

/** One vector per input: unit length, a function of the text and the number of dimensions only. */
export function embed({ input, dimensions }: EmbeddingsInput): EmbeddingPart[] {
  const length = Math.min(Math.max(dimensions ?? defaultDimensions, 1), mostDimensions);
  return input.map((item, index) => {
    const text = typeof item === "string" ? item : JSON.stringify(item);
    return { type: "embedding", index, vector: vectorOf(text, length) };
  });
}

function vectorOf(text: string, length: number): number[] {
  const values: number[] = [];
  for (let block = 0; values.length < length; block++) {
    const digest = createHash("sha256").update(`${block}:${text}`).digest();
    for (let at = 0; at < digest.length && values.length < length; at += 4) {
      values.push(digest.readInt32LE(at) / 2 ** 31);
    }
  }
  const size = Math.hypot(...values);
  return values.map((value) => value / size);
}
