import type { Frame } from "../contract/dialect.ts";
import type { Part, StreamPart } from "../contract/part.ts";
import { createSseReader } from "../kit/sse.ts";

/** Parts as a stream of them in which blocks come whole. */
export function asStream(parts: readonly Part[]): StreamPart[] {
  return parts.flatMap((part, index): StreamPart[] => {
    if (part.type === "embedding") return [];
    if (!("choice" in part) || part.type === "finish") return [part];
    return [{ type: "block-start", index, block: part }, { type: "block-end", index }];
  });
}

/** The frames of a text of server-sent events. */
export function readFrames(text: string): Frame[] {
  const reader = createSseReader();
  return [...reader.push(new TextEncoder().encode(text)), ...reader.end()];
}
