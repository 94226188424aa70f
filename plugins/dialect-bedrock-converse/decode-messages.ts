import {
  type ContentPart,
  GatewayError,
  type Json,
  type SystemText,
  type Turn,
  type Warning,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { decodeBlocks, pointDropped, readCachePoint, systemText } from "./decode-content.ts";
import { native, objectsOf, pointer } from "./read-json.ts";

/** System texts and turns of a request. */
export interface DecodedConversation {
  readonly system: readonly SystemText[];
  readonly turns: readonly Turn[];
}

/**
 * Splits a request into system texts and turns. Tool results stand in user messages here and make turns of their own,
 * in the order of the blocks.
 *
 * Throws `invalid_request` naming the member at fault.
 */
export function decodeConversation(
  system: Json | undefined,
  messages: Json | undefined,
  warnings: Warning[],
): DecodedConversation {
  const texts = decodeSystem(system, {}, warnings);
  const turns: Turn[] = [];
  checkMessages(messages).forEach((message, at) => {
    const { role, content } = message;
    if (role === "system") {
      const place = { late: true, turnsBefore: turns.length };
      texts.push(...decodeSystem(content, place, warnings));
      return;
    }
    const { parts, leading } = decodeBlocks(content);
    if (leading && !markLast(turns, leading)) {
      warnings.push(pointDropped(pointer("messages", at, "content", 0)));
    }
    if (role === "assistant") turns.push({ role, parts });
    else turns.push(...splitUser(parts));
  });
  return { system: texts, turns };
}

type Place = Pick<SystemText, "late" | "turnsBefore">;

function decodeSystem(system: Json | undefined, place: Place, warnings: Warning[]): SystemText[] {
  const texts: SystemText[] = [];
  for (const block of objectsOf(system)) {
    const cache = readCachePoint(block);
    const last = cache && texts.pop();
    if (!cache) texts.push({ text: systemText(block) ?? "", ...place, native: native(block) });
    else if (last) texts.push({ ...last, cache });
    else warnings.push(pointDropped("/system"));
  }
  return texts;
}

/** A mark at the head of a message caches what came before it; false when nothing did. */
function markLast(turns: Turn[], cache: NonNullable<ContentPart["cache"]>): boolean {
  const turn = turns.at(-1);
  const last = turn?.parts.at(-1);
  if (!turn || !last) return false;
  turns[turns.length - 1] = { ...turn, parts: [...turn.parts.slice(0, -1), { ...last, cache }] };
  return true;
}

function splitUser(parts: readonly ContentPart[]): Turn[] {
  const turns: { role: "user" | "tool"; parts: ContentPart[] }[] = [];
  for (const part of parts) {
    const role = part.type === "tool-result" ? "tool" : "user";
    const last = turns.at(-1);
    if (last?.role === role) last.parts.push(part);
    else turns.push({ role, parts: [part] });
  }
  return turns.length === 0 ? [{ role: "user", parts: [] }] : turns;
}

function checkMessages(messages: Json | undefined): readonly { [name: string]: Json }[] {
  // A stored prompt brings its own messages.
  if (messages === undefined) return [];
  if (!Array.isArray(messages)) refuse("messages", "must be an array");
  return (messages as readonly Json[]).map((message, at) => {
    if (!isObject(message)) return refuse(`messages[${at}]`, "must be an object");
    const { role, content } = message;
    if (role !== "user" && role !== "assistant" && role !== "system") {
      refuse(`messages[${at}].role`, 'must be "user", "assistant" or "system"');
    }
    if (!Array.isArray(content)) refuse(`messages[${at}].content`, "must be an array");
    return { role: role!, content: content! };
  });
}

function refuse(param: string, fault: string): never {
  throw new GatewayError("invalid_request", `Cannot read the request: ${param} ${fault}`, {
    param,
  });
}
