import type { AnswerFacts, Json, JsonObject } from "@vmx/core/contract";
import { findMember, isObject, scanObject } from "@vmx/core/kit";
import { eventName } from "./event-name.ts";
import { readFinishReason } from "./finish-reason.ts";
import { readTokens } from "./tokens.ts";

const OPEN_BRACE = 123;

/** What is kept of a frame that was too large to be held: its name, and both ends of its text as Latin-1. */
export interface LargeFrame {
  readonly name: string | undefined;
  readonly head: string;
  readonly tail: string;
}

/** Before and behind the output there are the settings and tools of a response, which have the size of requests. */
const keptCharacters = 256 * 1024;

/** Follows frames that are passed on in pieces. */
export function createLargeFrameReader() {
  let name: string | undefined;
  let head = "";
  let tail = "";
  let open = false;
  return {
    /** Whether a frame has begun and not ended. */
    isOpen: () => open,
    add(text: string): void {
      if (!open) {
        name = eventName(text, 0, text.length);
        head = text.slice(0, keptCharacters);
      }
      open = true;
      tail = tail.length + text.length > keptCharacters * 2
        ? (tail + text).slice(-keptCharacters)
        : tail + text;
    },
    /** The frame has ended. */
    end(): LargeFrame {
      const found = { name, head, tail };
      name = undefined;
      head = "";
      tail = "";
      open = false;
      return found;
    },
  };
}

/**
 * What a large frame tells that repeats a response. Its usage stands behind the output, the reason why it is
 * incomplete before; members of those names inside the output's texts are escaped and not found.
 *
 * @param holds what earlier events showed of the answer
 */
export function readLargeFrame(
  { name, head, tail }: LargeFrame,
  holds: { readonly toolCall: boolean; readonly refusal: boolean },
): Partial<AnswerFacts> {
  const usage = lastObject(tail, 'usage"');
  const details = lastObject(head, 'incomplete_details"') ??
    lastObject(tail, 'incomplete_details"');
  const tokens = usage ? readTokens({ usage }) : undefined;
  const read = readFinishReason({
    status: name === "response.incomplete" ? "incomplete" : "completed",
    ...(details ? { incomplete_details: details } : {}),
  }, holds);
  return {
    ...(tokens ? { tokens } : {}),
    finish: read.reason,
    ...(read.raw === undefined ? {} : { finishRaw: read.raw }),
  };
}

/** The last object that is the value of a member of the name. */
function lastObject(text: string, tail: string): JsonObject | undefined {
  let found: JsonObject | undefined;
  let value = findMember(text, tail, 0, text.length);
  while (value >= 0) {
    if (text.charCodeAt(value) === OPEN_BRACE) found = readObject(text, value) ?? found;
    value = findMember(text, tail, value, text.length);
  }
  return found;
}

function readObject(text: string, from: number): JsonObject | undefined {
  try {
    const { end } = scanObject(text, from);
    const value = JSON.parse(text.slice(from, end)) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    // Cut at the border of what was kept.
    return undefined;
  }
}
