import type {
  AnswerContext,
  Block,
  Json,
  JsonObject,
  Part,
  Translated,
  Warning,
} from "@vmx/core/contract";
import { argumentsNotJson, blockDropped, readArguments } from "@vmx/core/kit";
import { writeFinish, writeHead, writeUsage } from "./answer-members.ts";
import { compact, pointer } from "./read-json.ts";
import { inputTotal } from "./tokens.ts";
import {
  ownBlock,
  ownMembers,
  sealReasoning,
  shownText,
  writeCallHead,
  writeCitation,
} from "./write-blocks.ts";

/** Writes Parts as a plain answer. The dialect has one answer per message, so further choices are dropped. */
export function encodeResponse(
  parts: readonly Part[],
  context: AnswerContext,
): Translated<JsonObject> {
  const usage = parts.findLast((part) => part.type === "usage");
  if (context.operation === "count-tokens") {
    return { value: { input_tokens: usage ? inputTotal(usage.tokens) : 0 }, warnings: [] };
  }
  const warnings: Warning[] = [];
  const start = parts.find((part) => part.type === "start");
  const finish = parts.find((part) => part.type === "finish");
  const blocks = parts.filter((part): part is Block => "choice" in part && part.type !== "finish");
  if (blocks.some(({ choice }) => choice > 0)) warnings.push(droppedPart("/content", "choices"));
  if (blocks.some((block) => block.type === "text" && block.logprobs !== undefined)) {
    warnings.push(logprobsDropped);
  }
  const content = encodeBlocks(blocks.filter(({ choice }) => choice === 0), context, warnings);
  const ended = writeFinish(finish);
  return {
    value: compact({
      ...ended.rest,
      ...ended.top,
      ...writeHead(start, context),
      content,
      stop_reason: ended.stop_reason,
      stop_sequence: ended.stop_sequence,
      usage: writeUsage(usage, start),
    }),
    warnings,
  };
}

function encodeBlocks(
  blocks: readonly Block[],
  context: AnswerContext,
  warnings: Warning[],
): JsonObject[] {
  const content: JsonObject[] = [];
  let textAt = -1;
  for (const block of blocks) {
    if (block.type === "source") {
      // A citation belongs to the text right before it.
      if (textAt !== content.length - 1 || textAt < 0) {
        content.push({ type: "text", text: "" });
        textAt = content.length - 1;
      }
      const text = content[textAt]!;
      const before = Array.isArray(text["citations"]) ? text["citations"] as readonly Json[] : [];
      content[textAt] = { ...text, citations: [...before, writeCitation(block)] };
      continue;
    }
    const written = encodeBlock(block, content.length, context, warnings);
    if (!written) continue;
    content.push(written);
    if (written["type"] === "text") textAt = content.length - 1;
  }
  return content;
}

function encodeBlock(
  block: Block,
  at: number,
  context: AnswerContext,
  warnings: Warning[],
): JsonObject | undefined {
  switch (block.type) {
    case "text":
    case "refusal": {
      const text = shownText(block);
      return text ? { ...ownMembers(block), type: "text", text } : undefined;
    }
    case "reasoning": {
      const seal = sealReasoning(block, context);
      if (!seal) return undefined;
      return "data" in seal
        ? { ...ownMembers(block), type: "redacted_thinking", ...seal }
        : { ...ownMembers(block), type: "thinking", thinking: block.text, ...seal };
    }
    case "tool-call": {
      const head = writeCallHead(block);
      if (!head) break;
      const { input, broken } = readArguments(block.arguments);
      if (broken) warnings.push(argumentsNotJson(pointer("content", at, "input")));
      return { ...head, input };
    }
    case "native": {
      const own = ownBlock(block);
      if (own) return compact(own);
      break;
    }
  }
  warnings.push(blockDropped(block, pointer("content", at)));
  return undefined;
}

/** Texts have no log probabilities here. */
export const logprobsDropped: Warning = droppedPart("/content", "logprobs");

/** Something of an answer that is left out. */
export function droppedPart(path: string, detail: string): Warning {
  return { code: "answer_part_dropped", path, action: "dropped", detail };
}
