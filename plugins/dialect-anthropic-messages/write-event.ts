import type { Frame, JsonObject } from "@vmx/core/contract";

/** Writes one event; its name stands in the frame and in the data. */
export function event(type: string, members: JsonObject): Frame {
  return { event: type, data: JSON.stringify({ type, ...members }) };
}
