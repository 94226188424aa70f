import type { Call, JsonObject, SystemText, Turn } from "@vmx/core/contract";
import { encodeMark, encodeParts, encodeText } from "./encode-content.ts";
import { dropped, type EncodeContext } from "./encode-context.ts";
import { documentOf } from "./encode-media.ts";
import { ownNative, pointer, textOf } from "./read-json.ts";

/** System blocks and messages of a request. */
export interface EncodedConversation {
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

interface Message {
  readonly role: "user" | "assistant" | "system";
  /** Where it begins in the caller's body. */
  readonly path: string;
  readonly content: JsonObject[];
}

/**
 * Writes system texts and turns. Neighbouring turns of one side become one message, with all results of parallel
 * calls in it; texts of the system in mid-conversation move to its head, unless they came from this dialect.
 */
export function encodeConversation(call: Call, context: EncodeContext): EncodedConversation {
  const messages: Message[] = [];
  const system: JsonObject[] = [];
  const placed: SystemText[] = [];
  call.system.forEach((text, at) => {
    const path = text.path ?? pointer("system", at);
    if (text.late && ownNative(text)) placed.push(text);
    else {
      if (text.late) {
        context.warnings.push({
          code: "system_moved",
          path,
          action: "approximated",
          detail: "The text stands at the head of the conversation here",
        });
      }
      system.push(...encodeSystem(text, system.length > 0, path, context));
    }
  });
  call.turns.forEach((turn, at) => {
    for (const text of placed.filter(({ turnsBefore }) => turnsBefore === at)) {
      append(messages, "system", "/system", encodeSystem(text, false, "/system", context));
    }
    const role = turn.role === "assistant" ? "assistant" : "user";
    const path = turn.path ?? pointer("messages", at);
    append(messages, role, path, encodeTurn(turn, path, context));
  });
  for (const text of placed.filter(({ turnsBefore }) => turnsBefore === call.turns.length)) {
    append(messages, "system", "/system", encodeSystem(text, false, "/system", context));
  }
  for (const message of messages) addCaption(message, context);
  return {
    system,
    messages: messages.map(({ role, content }): JsonObject => ({ role, content })),
  };
}

function encodeSystem(
  text: SystemText,
  follows: boolean,
  path: string,
  context: EncodeContext,
): JsonObject[] {
  const block = text.text.trim() === "" && !ownNative(text) ? undefined : encodeText(text);
  const marked = text.cache && (block || follows) ? encodeMark(text.cache, path, context) : [];
  return block ? [block, ...marked] : marked;
}

function encodeTurn(turn: Turn, path: string, context: EncodeContext): JsonObject[] {
  if (turn.name !== undefined) {
    context.warnings.push(dropped(`${path}/name`, "Messages have no participant's name"));
  }
  return encodeParts(turn.parts, path, context);
}

function append(
  messages: Message[],
  role: Message["role"],
  path: string,
  content: JsonObject[],
): void {
  if (content.length === 0) return;
  const last = messages.at(-1);
  if (last?.role === role) last.content.push(...content);
  else messages.push({ role, path, content });
}

/** The service refuses documents in a message without a text (API reference, `Message`). */
function addCaption({ role, path, content }: Message, context: EncodeContext): void {
  const document = content.map(documentOf).find((each) => each !== undefined);
  const spoken = content.some((block) => block["text"] !== undefined || block["toolResult"]);
  if (role !== "user" || !document || spoken) return;
  content.push({ text: textOf(document["name"]) ?? "document" });
  context.warnings.push({
    code: "document_caption_synthesized",
    path,
    action: "synthesized",
    detail: "A message with a document needs a text: the document's name was added",
  });
}
