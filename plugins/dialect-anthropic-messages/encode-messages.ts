import type { Call, Json, JsonObject, SystemText, Turn } from "@vmx/core/contract";
import { encodeBlock, isBlank } from "./encode-blocks.ts";
import { dropped, type EncodeContext, writeCache } from "./encode-context.ts";
import { compact, dialectId, listOf, objectOf, ownNative, textOf } from "./read-json.ts";

/** The members of a request that hold its conversation. */
export interface EncodedConversation {
  readonly system: Json | undefined;
  readonly messages: JsonObject[];
}

interface Message {
  readonly role: string;
  blocks: JsonObject[];
  /** True when the content is one bare text that was never a block. */
  plain: boolean;
}

/**
 * Writes system texts and turns. Turns of one role are merged, tool results come first among them, and late system
 * texts are moved to the front, unless this dialect itself put them where they stood.
 */
export function encodeConversation(call: Call, context: EncodeContext): EncodedConversation {
  const leading: SystemText[] = [];
  const late: SystemText[] = [];
  for (const text of call.system) {
    if (text.late && text.native?.dialect === dialectId) late.push(text);
    else leading.push(text);
    if (text.late && text.native?.dialect !== dialectId) {
      context.warn({
        code: "system_moved",
        path: text.path ?? "/messages",
        action: "approximated",
        detail: "A system message inside the conversation stands before it now",
      });
    }
  }
  const messages: Message[] = [];
  const flushLate = (turnsBefore: number): void => {
    const first = late[0]?.turnsBefore ?? 0;
    if (late.length === 0 || first > turnsBefore) return;
    const group: SystemText[] = [];
    while (late[0] && (late[0].turnsBefore ?? 0) === first) group.push(late.shift()!);
    messages.push(writeSystemMessage(group));
    flushLate(turnsBefore);
  };
  call.turns.forEach((turn, at) => {
    flushLate(at);
    append(messages, writeTurn(turn, turn.path ?? `/messages/${at}`, context));
  });
  flushLate(Number.POSITIVE_INFINITY);
  const filled = messages.filter(({ blocks }) => blocks.length > 0);
  if (filled.length === 0 && leading.length > 0) {
    // A conversation of system texts alone is refused here, so they ask by themselves.
    return { system: undefined, messages: [{ role: "user", content: joined(leading) }] };
  }
  if (call.dialect !== dialectId) trimPrefill(filled.at(-1));
  return { system: writeSystem(leading), messages: filled.map(writeMessage) };
}

/** A last message the model is to go on from must not end with blanks. */
function trimPrefill(message: Message | undefined): void {
  const block = message?.role === "assistant" ? message.blocks.at(-1) : undefined;
  const text = textOf(block?.["text"]);
  if (!message || text === undefined || text === text.trimEnd()) return;
  message.blocks = [...message.blocks.slice(0, -1), { ...block, text: text.trimEnd() }];
}

function writeTurn(turn: Turn, path: string, context: EncodeContext): Message {
  const role = textOf(ownNative(turn)?.["role"]) ??
    (turn.role === "assistant" ? "assistant" : "user");
  const blocks: JsonObject[] = [];
  if (turn.name !== undefined) {
    context.warn(dropped(`${path}/name`, "Messages have no participant's name"));
  }
  for (const part of turn.parts) {
    const block = encodeBlock(part, part.path ?? path, context);
    if (block) blocks.push(block);
  }
  const [first] = turn.parts;
  const plain = turn.parts.length === 1 && first?.type === "text" && !ownNative(first) &&
    !first.cache;
  return { role, blocks, plain };
}

/** Merges a message with the one before, where both are of one role; system messages stay by themselves. */
function append(messages: Message[], message: Message): void {
  if (message.blocks.length === 0) return;
  const last = messages.at(-1);
  if (!last || last.role !== message.role || message.role === "system") {
    messages.push({ ...message, blocks: resultsFirst(message.blocks) });
    return;
  }
  last.blocks = resultsFirst([...last.blocks, ...message.blocks]);
  last.plain = false;
}

function resultsFirst(blocks: readonly JsonObject[]): JsonObject[] {
  const isResult = (block: JsonObject): boolean => block["type"] === "tool_result";
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

function writeMessage({ role, blocks, plain }: Message): JsonObject {
  return { role, content: plain ? blocks[0]!["text"]! : blocks };
}

function writeSystemMessage(texts: readonly SystemText[]): Message {
  const plain = texts.length === 1 && typeof texts[0]!.native?.value === "string";
  return { role: "system", blocks: texts.map(writeSystemBlock), plain };
}

/** One string where nothing but texts is to be said, else blocks, which can bear cache marks. */
function writeSystem(texts: readonly SystemText[]): Json | undefined {
  const filled = texts.filter(({ text }) => !isBlank(text));
  if (filled.length === 0) return undefined;
  const asBlocks = filled.some((text) => text.cache || ownNative(text));
  return asBlocks ? filled.map(writeSystemBlock) : joined(filled);
}

function writeSystemBlock(text: SystemText): JsonObject {
  const own = ownNative(text);
  return compact({
    ...own,
    type: "text",
    text: text.text,
    cache_control: own?.["cache_control"] ?? writeCache(text.cache),
  });
}

function joined(texts: readonly SystemText[]): string {
  return texts.map(({ text }) => text).filter((text) => !isBlank(text)).join("\n\n");
}

/**
 * Whether the tool calls being answered were made without signed thinking. With a thinking budget such a turn is
 * refused: "Expected `thinking` or `redacted_thinking`, but found `tool_use`".
 */
export function answersUnsignedCalls(messages: readonly JsonObject[]): boolean {
  const asked = messages.findLast(({ role }) => role === "assistant");
  const blocks = listOf(asked?.["content"]).map(objectOf);
  const last = messages.at(-1);
  const answering = last?.["role"] === "user" &&
    listOf(last["content"]).some((block) => objectOf(block)?.["type"] === "tool_result");
  const first = textOf(blocks[0]?.["type"]);
  return answering && blocks.some((block) => block?.["type"] === "tool_use") &&
    first !== "thinking" && first !== "redacted_thinking";
}
