import type { Json, JsonObject } from "../contract/json.ts";

/** Longest text of a value in a trace, in characters. */
export const maxValueLength = 256;

/** A value as traces hold it: cut to 256 characters, and `{length}` alone when it must not be stored. */
export function traceValue(value: Json | undefined, isStored: boolean): Json {
  switch (typeof value) {
    case "string":
      if (!isStored) return { length: value.length };
      return value.length <= maxValueLength ? value : value.slice(0, maxValueLength);
    case "number":
      // JSON has no word for the results of some divisions.
      return Number.isFinite(value) ? value : Number.isNaN(value) ? null : String(value);
    case "object":
      if (value === null) return null;
      if (!isStored) return { length: lengthOf(value) };
      return cutJson(value);
    default:
      return value ?? null;
  }
}

function lengthOf(value: object): number {
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

/** The value itself if its JSON text is short, else the start of that text; the rest is not even looked at. */
function cutJson(value: Json): Json {
  // Most values are short, and to count is cheaper than to write.
  if (roomAfter(value, maxValueLength) >= 0) return value;
  const text = startOfJson(value, maxValueLength + 1);
  return text.length > maxValueLength ? text.slice(0, maxValueLength) : value;
}

/** What is left of `room` characters after the value's JSON text; below zero when it may not fit. */
function roomAfter(value: Json | undefined, room: number): number {
  // An escape takes up to six characters.
  if (typeof value === "string") return room - 6 * value.length - 2;
  if (typeof value !== "object" || value === null) return room - 24;
  let left = room - 2;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length && left >= 0; at++) left = roomAfter(value[at], left - 1);
    return left;
  }
  for (const name in value) {
    if (left < 0) break;
    left = roomAfter((value as JsonObject)[name], left - 6 * name.length - 4);
  }
  return left;
}

function startOfJson(value: Json | undefined, limit: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, limit));
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const isList = Array.isArray(value);
  let text = isList ? "[" : "{";
  let first = true;
  for (const name in value as Record<string, Json>) {
    if (text.length >= limit) return text;
    const member = (value as Record<string, Json | undefined>)[name];
    if (!first) text += ",";
    first = false;
    if (!isList) text += `${JSON.stringify(name.slice(0, limit))}:`;
    text += startOfJson(member, limit - text.length);
  }
  return text + (isList ? "]" : "}");
}
