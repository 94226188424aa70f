import { findMember } from "@vmx/core/kit";

const SPACE = 32;
const eventField = "event:";

/**
 * The name of the event in the frame between `from` and `end`: its `event` line, else the `type` in its data.
 * Types of items and parts never look like names of events. Undefined when neither tells.
 */
export function eventName(text: string, from: number, end: number): string | undefined {
  if (text.startsWith(eventField, from)) {
    let until = from + eventField.length;
    while (until < end && text.charCodeAt(until) >= SPACE) until++;
    return text.slice(from + eventField.length, until).trim();
  }
  let value = findMember(text, 'type"', from, end);
  while (value >= 0) {
    if (text.startsWith('"response.', value) || text.startsWith('"error"', value)) {
      return text.slice(value + 1, text.indexOf('"', value + 1));
    }
    value = findMember(text, 'type"', value, end);
  }
  return undefined;
}
