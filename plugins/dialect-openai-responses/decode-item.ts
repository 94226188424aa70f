import type { Block, JsonObject, ReasoningBlock, SourceBlock } from "@vmx/core/contract";
import { isObject, unpackReasoning } from "@vmx/core/kit";
import { listOf, numberOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { readReasoningTexts } from "./decode-reasoning.ts";
import { itemType } from "./items.ts";
import { native, omit, present } from "./native.ts";

/** All answers of the dialect are one choice. */
const choice = 0;

/** Reads one output item. */
export function decodeItem(item: JsonObject): Block[] {
  const type = itemType(item);
  switch (type) {
    case "message":
      return decodeMessage(item);
    case "reasoning":
      return decodeReasoningItem(item);
    case "function_call":
      return [toolCall(item, textOf(item["arguments"]) ?? "")];
    default:
      return [otherItem(item)];
  }
}

/** A call of one of the caller's functions; the arguments may be still to come. */
export function toolCall(item: JsonObject, argumentText: string): Block {
  return {
    type: "tool-call",
    choice,
    id: textOf(item["call_id"]) ?? textOf(item["id"]) ?? "",
    name: textOf(item["name"]) ?? "",
    arguments: argumentText,
    native: native(omit(item, "arguments")),
  };
}

/** What a tool of the provider did. Images have a canonical form once they are there. */
export function otherItem(item: JsonObject): Block {
  const kind = itemType(item);
  const data = textOf(item["result"]);
  if (kind === "image_generation_call" && data !== undefined) {
    const mediaType = `image/${textOf(item["output_format"]) ?? "png"}`;
    return {
      type: "file",
      choice,
      source: { kind: "base64", mediaType, data },
      native: native(omit(item, "result")),
    };
  }
  return { type: "native", choice, kind, native: native(item) };
}

function decodeMessage(item: JsonObject): Block[] {
  const parts = listOf(item["content"]).filter(isObject);
  if (parts.length === 0) {
    return [{ type: "native", choice, kind: "message", native: native(item) }];
  }
  return parts.flatMap((part, at) => {
    const annotations = listOf(part["annotations"]).filter(isObject).map(decodeAnnotation);
    return [messagePart(item, part, at), ...annotations];
  });
}

/** One content part of a message, without its annotations. */
export function messagePart(item: JsonObject, part: JsonObject, at: number): Block {
  const text = textOf(part["text"]);
  if (part["type"] === "output_text" && text !== undefined) {
    const logprobs = listOf(part["logprobs"]);
    return {
      type: "text",
      choice,
      text,
      ...(logprobs.length > 0 ? { logprobs } : {}),
      native: partNative(item, part, at),
    };
  }
  const refusal = textOf(part["refusal"]);
  if (part["type"] === "refusal" && refusal !== undefined) {
    return { type: "refusal", choice, text: refusal, native: partNative(item, part, at) };
  }
  return {
    type: "native",
    choice,
    kind: textOf(part["type"]) ?? "content",
    native: partNative(item, part, at, true),
  };
}

/**
 * What a content part keeps: where it stood, the message it opens, and members of its own. A message's status is
 * told by the end of the answer; here it is noted only when it is missing.
 */
export function partNative(item: JsonObject, part: JsonObject, at: number, whole = false) {
  const rest = whole ? part : omit(part, "type", "text", "refusal", "annotations", "logprobs");
  return native({
    at,
    ...(Object.keys(rest).length > 0 ? { rest } : {}),
    ...(Array.isArray(part["logprobs"]) ? { logprobs: true } : {}),
    ...(Array.isArray(part["annotations"]) ? { annotations: true } : {}),
    ...(at > 0 ? {} : {
      item: {
        ...omit(item, "content", "status"),
        ...(item["status"] === undefined ? { status: null } : {}),
      },
    }),
  });
}

/** Reads an annotation; kinds without a canonical form stay as they are. */
export function decodeAnnotation(annotation: JsonObject): Block {
  const kept = { choice, native: native(annotation) };
  const cited = { citedText: textOf(annotation["cited_text"]) };
  switch (annotation["type"]) {
    case "url_citation":
      return source({
        url: textOf(annotation["url"]),
        title: textOf(annotation["title"]),
        start: numberOf(annotation["start_index"]),
        end: numberOf(annotation["end_index"]),
        ...cited,
      });
    case "container_file_citation":
      return source({
        title: textOf(annotation["filename"]),
        start: numberOf(annotation["start_index"]),
        end: numberOf(annotation["end_index"]),
        ...cited,
      });
    case "file_citation":
    case "file_path":
      return source({
        title: textOf(annotation["filename"]) || textOf(annotation["file_id"]) || undefined,
        start: numberOf(annotation["index"]),
        end: numberOf(annotation["end_index"]),
        ...cited,
      });
    default:
      return { type: "native", kind: "annotation", ...kept };
  }

  function source(members: Readonly<Record<string, string | number | undefined>>): SourceBlock {
    // The members are those of a source; the switch above gives each its type.
    return { type: "source", ...kept, ...present(members) } as SourceBlock;
  }
}

/** Which of its item's texts a reasoning block holds. */
export type ReasoningKind = "content" | "summary";

/**
 * Reads a reasoning item: a block for its content and one for its summary, so that neither is taken for the
 * other; an item with neither is one empty block. The first holds the item, the second only says it goes on.
 */
export function decodeReasoningItem(item: JsonObject): ReasoningBlock[] {
  const { content, summary } = readReasoningTexts(item);
  const texts: (readonly [ReasoningKind, string])[] = [];
  if (content !== undefined) texts.push(["content", content]);
  if (summary !== undefined || content === undefined) texts.push(["summary", summary ?? ""]);
  return texts.map(([kind, text], at): ReasoningBlock => ({
    type: "reasoning",
    choice,
    text,
    ...(at === 0 ? reasoningClosing(item, kind) : { native: reasoningContinuing(kind) }),
  }));
}

/** Marks the second block of one reasoning item. */
export function reasoningContinuing(kind: ReasoningKind) {
  return native({ continues: true, text: kind });
}

/** What is known of a reasoning item once it is complete. */
export function reasoningClosing(
  item: JsonObject,
  kind: ReasoningKind,
): Pick<ReasoningBlock, "encrypted" | "signature" | "native"> {
  const encrypted = textOf(item["encrypted_content"]);
  const foreign = encrypted === undefined ? undefined : unpackReasoning(encrypted);
  if (foreign) {
    return present({ signature: foreign.signature, encrypted: foreign.encrypted });
  }
  return {
    ...(encrypted === undefined ? {} : { encrypted }),
    native: native({ item, text: kind }),
  };
}
