import type { ContentPart, Json, SystemText, Turn } from "@vmx/core/contract";
import { contentText, decodeContent, readCache } from "./decode-blocks.ts";
import { listOf, native, objectOf, objectsOf, pointer, present, textOf } from "./read-json.ts";

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
  const texts = decodeSystem(system, { path: "/system" });
  const turns: Turn[] = [];
  for (const [at, element] of listOf(messages).entries()) {
    const message = objectOf(element);
    if (!message) continue;
    const { role, content } = message;
    const path = pointer("messages", at);
    if (role === "assistant") {
      turns.push({ role, path, parts: decodeContent(content, `${path}/content`) });
    } else if (role === "system") {
      if (isText(content)) {
        texts.push(...decodeSystem(content, { late: true, path, turnsBefore: turns.length }));
      } else {
        const parts = decodeContent(content, `${path}/content`);
        turns.push({ role: "user", path, parts, native: native({ role: "system" }) });
      }
    } else turns.push(...decodeUser(path, decodeContent(content, `${path}/content`)));
  }
  return { system: texts, turns };
}

type Place = Pick<SystemText, "late" | "path" | "turnsBefore">;

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

function decodeUser(path: string, parts: readonly ContentPart[]): Turn[] {
  const results = parts.filter((part) => part.type === "tool-result");
  if (results.length === 0) return [{ role: "user", path, parts }];
  const rest = parts.filter((part) => part.type !== "tool-result");
  const answered: Turn = { role: "tool", path, parts: results };
  return rest.length === 0 ? [answered] : [answered, { role: "user", path, parts: rest }];
}

function isText(content: Json | undefined): boolean {
  return typeof content === "string" ||
    objectsOf(content).every((block) => block["type"] === "text");
}
