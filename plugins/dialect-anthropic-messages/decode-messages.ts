import type { ContentPart, Json, SystemText, Turn } from "@vmx/core/contract";
import { contentText, decodeContent, readCache } from "./decode-blocks.ts";
import { native, objectsOf, present, textOf } from "./read-json.ts";

/** System texts and turns of a request. */
export interface DecodedConversation {
  readonly system: readonly SystemText[];
  readonly turns: readonly Turn[];
}

/**
 * Splits a request into system texts and turns. Tool results stand in user messages here and make turns of their
 * own; a system message among the messages becomes a late system text, unless it holds more than text.
 */
export function decodeConversation(
  system: Json | undefined,
  messages: Json | undefined,
): DecodedConversation {
  const texts = decodeSystem(system, {});
  const turns: Turn[] = [];
  for (const message of objectsOf(messages)) {
    const { role, content } = message;
    if (role === "assistant") turns.push({ role, parts: decodeContent(content) });
    else if (role === "system") {
      if (isText(content)) {
        texts.push(...decodeSystem(content, { late: true, turnsBefore: turns.length }));
      } else {
        const parts = decodeContent(content);
        turns.push({ role: "user", parts, native: native({ role: "system" }) });
      }
    } else turns.push(...decodeUser(decodeContent(content)));
  }
  return { system: texts, turns };
}

type Place = Pick<SystemText, "late" | "turnsBefore">;

function decodeSystem(system: Json | undefined, place: Place): SystemText[] {
  if (typeof system === "string") {
    // A late text keeps its spelling too: it goes back to where it stood.
    return [{ text: system, ...place, ...(place.late ? { native: native(system) } : {}) }];
  }
  return objectsOf(system).map((block) => ({
    text: textOf(block["text"]) ?? contentText([block]),
    ...place,
    ...present({ cache: readCache(block) }),
    native: native(block),
  }));
}

function decodeUser(parts: readonly ContentPart[]): Turn[] {
  const results = parts.filter((part) => part.type === "tool-result");
  if (results.length === 0) return [{ role: "user", parts }];
  const rest = parts.filter((part) => part.type !== "tool-result");
  const answered: Turn = { role: "tool", parts: results };
  return rest.length === 0 ? [answered] : [answered, { role: "user", parts: rest }];
}

function isText(content: Json | undefined): boolean {
  return typeof content === "string" ||
    objectsOf(content).every((block) => block["type"] === "text");
}
