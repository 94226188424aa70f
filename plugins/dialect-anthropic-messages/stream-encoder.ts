import type {
  AnswerContext,
  Block,
  BlockDelta,
  FinishPart,
  Frame,
  StartPart,
  StreamEncoder,
  StreamPart,
  UsagePart,
  Warning,
} from "@vmx/core/contract";
import { writeFinish, writeHead, writeOpeningUsage, writeUsage } from "./answer-members.ts";
import { droppedPart } from "./encode-response.ts";
import { dialectId, objectOf } from "./read-json.ts";
import { createBlockWriter } from "./stream-blocks.ts";
import { event } from "./write-event.ts";

/** One block of the answer, waiting for its turn or being written. */
interface Slot {
  block: Block;
  readonly deltas: BlockDelta[];
  ended: boolean;
}

/**
 * Writes a stream of message events. Blocks of this dialect never interleave: one that opens before the one ahead of
 * it has ended waits. The stop reason and all counts stand in `message_delta`, written at the end, because other
 * dialects tell their usage last.
 */
export function streamEncoder(context: AnswerContext): StreamEncoder {
  let begun = false;
  let head: StartPart | undefined;
  let failed = false;
  let usage: UsagePart | undefined;
  let finish: FinishPart | undefined;
  const slots = new Map<number, Slot>();
  const warnings: Warning[] = [];
  const writer = createBlockWriter(context, warnings);
  let others = false;

  const begin = (start?: StartPart): Frame[] => {
    if (begun) return [];
    begun = true;
    head = start;
    const message = {
      ...writeHead(start, context),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeOpeningUsage(start, context),
    };
    return [event("message_start", { message })];
  };

  /** Writes what the foremost blocks have, up to the first that is still open. */
  const advance = (): Frame[] => {
    const frames: Frame[] = [];
    for (const [index, slot] of slots) {
      frames.push(...writer.open(index, slot.block));
      for (const delta of slot.deltas.splice(0)) frames.push(...writer.grow(delta));
      if (!slot.ended) break;
      frames.push(...writer.close());
      slots.delete(index);
    }
    return frames;
  };

  const write = (part: StreamPart): Frame[] => {
    switch (part.type) {
      case "start":
        return begin(part);
      case "block-start":
        if (part.block.choice > 0) {
          if (!others) warnings.push(droppedPart("/content", "choices"));
          others = true;
          return [];
        }
        slots.set(part.index, { block: part.block, deltas: [], ended: false });
        return [...begin(), ...advance()];
      case "block-delta":
        slots.get(part.index)?.deltas.push(part);
        return advance();
      case "block-end": {
        const slot = slots.get(part.index);
        if (slot) slot.ended = true;
        return advance();
      }
      case "usage":
        usage = part;
        return [];
      case "finish":
        if (part.choice === 0) finish ??= part;
        return [];
      case "error": {
        failed = true;
        const own = part.native?.dialect === dialectId ? objectOf(part.native.value) : undefined;
        return [event("error", own ?? { error: { type: "api_error", message: part.message } })];
      }
    }
  };

  return {
    warnings,
    push: (part) => failed ? [] : write(part),
    end() {
      if (failed) return [];
      const frames = begin();
      for (const slot of slots.values()) slot.ended = true;
      frames.push(...advance(), ...writer.end());
      const { stop_reason, stop_sequence, rest, top } = writeFinish(finish);
      frames.push(
        event("message_delta", {
          ...top,
          delta: { ...rest, stop_reason, stop_sequence },
          usage: writeUsage(usage, head),
        }),
        event("message_stop", {}),
      );
      return frames;
    },
  };
}
