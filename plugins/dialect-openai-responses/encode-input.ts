import type { Call, ContentPart, Json, JsonObject, SystemText, Turn } from "@vmx/core/contract";
import { fileLosses } from "@vmx/core/kit";
import { pointer, restore } from "@vmx/dialect-openai-chat/read-json";
import { encodePart, nativeValue, placeOf, refuse } from "./encode-content.ts";
import { encodeCall, type EncodeContext, encodeReasoning, encodeResult } from "./encode-items.ts";
import { dialectId, ownNative } from "./native.ts";

/** The two members that hold the conversation. */
export interface EncodedInput {
  readonly instructions?: string;
  readonly input: string | readonly JsonObject[] | undefined;
}

const messageMembers = new Set(["role", "content"]);

/**
 * Writes system texts and turns. Leading system texts without a role become `instructions`; all others are
 * messages where they stood.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express.
 */
export function encodeInput(call: Call, context: EncodeContext): EncodedInput {
  const spoken = call.turns[0]?.native;
  const only = call.turns.length === 1 && spoken?.dialect === dialectId &&
      typeof spoken.value === "string"
    ? textOnly(call.turns[0]!)
    : undefined;
  const leading = countLeading(call.system);
  const texts = call.system.slice(0, leading).map(({ text }) => text);
  const rest = call.system.slice(leading);
  const items: JsonObject[] = [];
  let next = 0;
  const writeSystem = (turnsBefore: number): void => {
    const from = next;
    while (next < rest.length && (rest[next]?.turnsBefore ?? 0) <= turnsBefore) next++;
    items.push(...encodeSystem(rest.slice(from, next)));
  };
  call.turns.forEach((turn, at) => {
    writeSystem(at);
    items.push(...encodeTurn(turn, turn.path ?? pointer("input", items.length), context));
  });
  writeSystem(Number.POSITIVE_INFINITY);
  const input = only !== undefined && rest.length === 0 ? only : items;
  return {
    ...(leading > 0 ? { instructions: texts.join("\n\n") } : {}),
    input: input.length === 0 && call.turns.length === 0 && rest.length === 0 ? undefined : input,
  };
}

function textOnly(turn: Turn): string | undefined {
  const [part] = turn.parts;
  return turn.parts.length === 1 && part?.type === "text" ? part.text : undefined;
}

/** How many of the first texts are `instructions`: the caller's own, or those no role was named for. */
function countLeading(system: readonly SystemText[]): number {
  if (system[0] && ownNative(system[0])?.["member"] === "instructions") return 1;
  const first = system.findIndex((text) =>
    text.role !== undefined || (text.turnsBefore ?? 0) > 0 || placeOf(text) !== undefined
  );
  return first < 0 ? system.length : first;
}

/** Texts of one message stay together; texts of other dialects form one message each. */
function encodeSystem(texts: readonly SystemText[]): JsonObject[] {
  const groups: SystemText[][] = [];
  for (const text of texts) {
    const joins = (placeOf(text)?.at ?? 0) > 0;
    const last = groups.at(-1);
    if (joins && last) last.push(text);
    else groups.push([text]);
  }
  return groups.map((group) => {
    const first = group[0]!;
    const parts = group.map(({ text, native }): ContentPart => ({
      type: "text",
      text,
      ...(native ? { native } : {}),
    }));
    return encodeMessage(first.role ?? "system", parts, "input_text", first.path ?? "/input");
  });
}

/** Writes a message whose parts know their places in it. */
function encodeMessage(
  role: string,
  parts: readonly ContentPart[],
  textType: "input_text" | "output_text",
  path: string,
): JsonObject {
  const [first] = parts;
  const place = first && placeOf(first);
  const bare = parts.length === 1 && first?.type === "text" && place?.original === undefined;
  const content: Json = bare
    ? first.text
    : parts.map((part, at) =>
      encodePart(part, placeOf(part)?.original, textType, part.path ?? `${path}/content/${at}`)
    );
  return restore({ role, content }, place?.item, messageMembers);
}

function encodeTurn(turn: Turn, path: string, context: EncodeContext): JsonObject[] {
  if (turn.name !== undefined) {
    context.warnings.push({
      code: "parameter_dropped",
      path: `${path}/name`,
      action: "dropped",
      detail: "Messages have no participant's name",
    });
  }
  if (turn.role === "assistant") return encodeAssistant(turn, path, context);
  const items: JsonObject[] = [];
  const said: ContentPart[] = [];
  for (const part of turn.parts) {
    const at = part.path ?? path;
    if (part.type === "file" && !ownNative(part)) context.warnings.push(...fileLosses(part, at));
    if (part.type === "tool-result") items.push(encodeResult(part, at, context));
    else if (turn.role === "tool" && part.type === "native") items.push(nativeValue(part, at));
    else said.push(part);
  }
  const own = ownNative(turn);
  if (said.length === 0 && !own && items.length > 0) return items;
  const [first] = said;
  const bare = said.length === 1 && first?.type === "text" && !Array.isArray(own?.["content"]);
  const content = bare
    ? first.text
    : said.length === 0 && !own
    ? ""
    : said.map((part, at) =>
      encodePart(part, ownNative(part), "input_text", part.path ?? `${path}/content/${at}`)
    );
  return [...items, restore({ role: "user", content }, own, messageMembers)];
}

/** What the model said in a row becomes items again: parts of one message stay together. */
function encodeAssistant(turn: Turn, path: string, context: EncodeContext): JsonObject[] {
  const items: JsonObject[] = [];
  let said: ContentPart[] = [];
  const flush = (): void => {
    if (said.length > 0) items.push(encodeMessage("assistant", said, "output_text", path));
    said = [];
  };
  for (const part of turn.parts) {
    const place = placeOf(part);
    if (part.type === "text" || part.type === "refusal" || place) {
      if (place?.at === 0) flush();
      const original = place?.original;
      // The place holds the part's own spelling one level down.
      said.push(
        part.type === "native" && original
          ? { ...part, native: { dialect: dialectId, value: original } }
          : part,
      );
      continue;
    }
    flush();
    const at = part.path ?? path;
    if (part.type === "reasoning") items.push(...encodeReasoning(part, at, context));
    else if (part.type === "tool-call") items.push(encodeCall(part, context));
    else if (part.type === "native") items.push(nativeValue(part, at));
    else refuse(`a part of type "${part.type}" in an assistant's message`, at);
  }
  flush();
  return items;
}
