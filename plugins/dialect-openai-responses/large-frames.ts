import type { AnswerFacts, Json, JsonObject } from "@vmx/core/contract";
import { findMember, isObject, scanObject } from "@vmx/core/kit";
import { readFinishReason } from "./finish-reason.ts";
import { readTokens } from "./tokens.ts";

const OPEN_BRACE = 123;

/**
 * What the end of a frame tells that repeats a response and was too large to be held. The usage of a response
 * stands behind its output; a member of that name inside the output's texts is escaped and not found.
 *
 * @param tail the last part of the frame's text, as Latin-1
 * @param holds what earlier events showed of the answer
 */
export function readTailFacts(
  name: string,
  tail: string,
  holds: { readonly toolCall: boolean; readonly refusal: boolean },
): Partial<AnswerFacts> {
  const usage = lastObject(tail, 'usage"');
  const details = lastObject(tail, 'incomplete_details"');
  const tokens = usage ? readTokens({ usage }) : undefined;
  const read = readFinishReason({
    status: name.slice("response.".length),
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
