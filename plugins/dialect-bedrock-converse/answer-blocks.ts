import type {
  Block,
  DecodeOptions,
  JsonObject,
  SourceBlock,
  TextBlock,
  ToolCallBlock,
} from "@vmx/core/contract";
import { kindOf } from "./decode-content.ts";
import { imageType, readSource } from "./media.ts";
import { filled, native, objectOf, objectsOf, present, textOf, without } from "./read-json.ts";
import { answerTool } from "./structured-output.ts";

/** Reads one block of an answer. Cited text becomes a text and its sources. */
export function readBlock(block: JsonObject, options: DecodeOptions): Block[] {
  const text = textOf(block["text"]);
  if (text !== undefined) return [textBlock(text, filled(without(block, "text")))];
  const cited = objectOf(block["citationsContent"]);
  if (cited) return readCited(cited);
  const reasoning = objectOf(block["reasoningContent"]);
  if (reasoning) {
    const spoken = objectOf(reasoning["reasoningText"]) ?? {};
    return [{
      type: "reasoning",
      choice: 0,
      text: textOf(spoken["text"]) ?? "",
      ...present({
        signature: textOf(spoken["signature"]),
        encrypted: textOf(reasoning["redactedContent"]),
      }),
    }];
  }
  const call = objectOf(block["toolUse"]);
  if (call) {
    const text = JSON.stringify(call["input"] ?? {});
    return [isAnswer(call, options) ? textBlock(text) : callBlock(call, text, options)];
  }
  const image = objectOf(block["image"]);
  const source = image &&
    readSource(objectOf(image["source"]), imageType(textOf(image["format"])));
  if (source) return [{ type: "file", choice: 0, source, native: native(block) }];
  return [{ type: "native", choice: 0, kind: kindOf(block), native: native(block) }];
}

/** A text block; `rest` is what its wire form holds beside the text. */
export function textBlock(text: string, rest?: JsonObject): TextBlock {
  return { type: "text", choice: 0, text, ...(rest ? { native: native(rest) } : {}) };
}

/** A tool call by its `toolUse`, named as the caller named the tool. */
export function callBlock(
  call: JsonObject,
  argumentText: string,
  { toolNames }: DecodeOptions,
): ToolCallBlock {
  const name = textOf(call["name"]) ?? "";
  const rest = filled(without(call, "toolUseId", "name", "input"));
  return {
    type: "tool-call",
    choice: 0,
    id: textOf(call["toolUseId"]) ?? "",
    name: toolNames?.get(name) ?? name,
    arguments: argumentText,
    ...(call["type"] === "server_tool_use" ? { server: true } : {}),
    ...(rest ? { native: native(rest) } : {}),
  };
}

/** Whether a call is the stand-in for an answer of a given form. */
export function isAnswer(call: JsonObject, { toolNames }: DecodeOptions): boolean {
  return call["name"] === answerTool && !toolNames?.has(answerTool);
}

/** Reads a citation of the text block before it, which it cites as a whole. */
export function readCitation(citation: JsonObject, textLength: number): SourceBlock {
  const source = textOf(citation["source"]);
  const link = source !== undefined && /^https?:/.test(source) ? source : undefined;
  const pieces = objectsOf(citation["sourceContent"]).map(({ text }) => textOf(text) ?? "");
  return {
    type: "source",
    choice: 0,
    ...present({
      url: textOf(objectOf(objectOf(citation["location"])?.["web"])?.["url"]) ?? link,
      title: textOf(citation["title"]),
      citedText: pieces.length === 0 ? undefined : pieces.join(""),
    }),
    start: 0,
    end: textLength,
    native: native(citation),
  };
}

function readCited(cited: JsonObject): Block[] {
  const content = objectsOf(cited["content"]);
  const citations = objectsOf(cited["citations"]);
  const text = content.map((piece) => textOf(piece["text"]) ?? "").join("");
  const sources = citations.map((citation) => readCitation(citation, text.length));
  return [...(content.length === 0 ? [] : [textBlock(text)]), ...sources];
}
