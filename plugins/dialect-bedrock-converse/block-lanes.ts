import type { StreamPart } from "@vmx/core/contract";

/** One content block of a stream on its way out. */
export interface Lane {
  emit(part: StreamPart): void;
  /** The block is complete. */
  close(): void;
}

/** Puts blocks that come interleaved one behind the other: a later block waits until the earlier ones are complete. */
export function createLanes(out: (part: StreamPart) => void): { open(): Lane } {
  const waiting: { parts: StreamPart[]; closed: boolean }[] = [];
  return {
    open() {
      const lane: (typeof waiting)[number] = { parts: [], closed: false };
      waiting.push(lane);
      return {
        emit(part) {
          if (waiting[0] === lane) out(part);
          else lane.parts.push(part);
        },
        close() {
          lane.closed = true;
          while (waiting[0]?.closed) {
            waiting.shift();
            for (const part of waiting[0]?.parts.splice(0) ?? []) out(part);
          }
        },
      };
    },
  };
}
