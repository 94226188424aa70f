import type { JsonObject, ReasoningContent } from "@vmx/core/contract";
import { isObject, unpackReasoning } from "@vmx/core/kit";
import { listOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { native } from "./native.ts";

/** Between the parts of one summary, which are paragraphs of their own. */
export const summaryBreak = "\n\n";

/** The texts of a reasoning item: what the model thought, and what it says it thought. */
export interface ReasoningTexts {
  /** `content`: the reasoning itself, where the model shows it; undefined when there is none. */
  readonly content: string | undefined;
  /** `summary`; undefined when there is none. */
  readonly summary: string | undefined;
}

/** Reads the texts of a reasoning item; several parts are joined by a blank line. */
export function readReasoningTexts(item: JsonObject): ReasoningTexts {
  return { content: join(item["content"]), summary: join(item["summary"]) };
}

/** Reads a reasoning item a caller gives back. Its own spelling keeps summary and content apart. */
export function decodeReasoning(item: JsonObject): ReasoningContent {
  const { content, summary } = readReasoningTexts(item);
  const encrypted = textOf(item["encrypted_content"]);
  const foreign = encrypted === undefined ? undefined : unpackReasoning(encrypted);
  const opaque = foreign ?? (encrypted === undefined ? {} : { encrypted });
  return {
    type: "reasoning",
    text: [content, summary].filter((text) => text !== undefined).join(summaryBreak),
    ...opaque,
    ...(foreign ? {} : { native: native(item) }),
  };
}

function join(parts: JsonObject[string]): string | undefined {
  const texts = listOf(parts).filter(isObject)
    .map((part) => textOf(part["text"])).filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : texts.join(summaryBreak);
}
