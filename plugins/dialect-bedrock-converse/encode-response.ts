import type {
  AnswerContext,
  Block,
  FinishPart,
  Json,
  JsonObject,
  Part,
  Translated,
  UsagePart,
  Warning,
} from "@vmx/core/contract";
import { argumentsNotJson, blockDropped, readArguments } from "@vmx/core/kit";
import { encodeVectors } from "./embeddings.ts";
import { writeBlock, writeCitation } from "./encode-blocks.ts";
import { writeStopReason } from "./finish-reason.ts";
import { objectOf, ownNative } from "./read-json.ts";
import { writeTokens } from "./tokens.ts";

/** Writes Parts as a plain answer. The dialect gives one answer: further choices are left out with a warning. */
export function encodeResponse(
  parts: readonly Part[],
  context: AnswerContext,
): Translated<JsonObject> {
  if (context.operation === "embeddings") {
    return { value: encodeVectors(parts, context), warnings: [] };
  }
  const warnings: Warning[] = [];
  const usage = parts.findLast((part) => part.type === "usage");
  const finish = parts.find((part) => part.type === "finish" && part.choice === 0);
  const blocks = parts.filter((part): part is Block => "choice" in part && part.type !== "finish");
  const others = blocks.filter(({ choice }) => choice !== 0);
  if (others.length > 0) warnings.push(choicesDropped());
  const content = writeContent(blocks.filter(({ choice }) => choice === 0), warnings);
  const ended = finish?.type === "finish" ? finish : undefined;
  return {
    value: {
      metrics: { latencyMs: 0 },
      ...(ended ? writeTold(ended) : {}),
      output: { message: { role: "assistant", content } },
      ...writeStop(ended),
      ...(usage ? { usage: writeUsage(usage), ...writeTier(usage) } : {}),
    },
    warnings,
  };
}

/** The member `stopReason`; an own spelling stays, a missing one too. */
export function writeStop(finish: FinishPart | undefined): JsonObject {
  if (!finish) return { stopReason: "end_turn" };
  const own = finish.native?.dialect === "bedrock-converse" && finish.raw !== undefined;
  return { stopReason: own ? finish.raw! : writeStopReason(finish.reason) };
}

/** What an answer tells beside its content, its usage and why it ended. */
export function writeTold(finish: FinishPart): JsonObject {
  const own = ownNative(finish);
  if (own) return own;
  return finish.stopSequence === undefined ? finish.extras ?? {} : {
    additionalModelResponseFields: { stop_sequence: finish.stopSequence },
    ...finish.extras,
  };
}

/** Writes usage; an own spelling stays. */
export function writeUsage(usage: UsagePart): JsonObject {
  return ownNative(usage) ?? writeTokens(usage.tokens);
}

/** The member `serviceTier`. */
export function writeTier({ serviceTier }: UsagePart): JsonObject {
  return serviceTier === undefined ? {} : { serviceTier: { type: serviceTier } };
}

function writeContent(blocks: readonly Block[], warnings: Warning[]): Json[] {
  const content: Json[] = [];
  let text: { readonly at: number; readonly citations: Json[] } | undefined;
  for (const block of blocks) {
    if (block.type === "source" && text) {
      text.citations.push(writeCitation(block));
      const plain = objectOf(content[text.at])?.["text"];
      if (plain !== undefined) {
        content[text.at] = {
          citationsContent: { content: [{ text: plain }], citations: text.citations },
        };
      }
      continue;
    }
    const written = writeBlock(block);
    if (!written) {
      warnings.push(lossOf(block));
      continue;
    }
    if (block.type === "tool-call" && readArguments(block.arguments).broken) {
      warnings.push(argumentsNotJson(contentPath));
    }
    text = block.type === "text" ? { at: content.length, citations: [] } : undefined;
    content.push(written);
  }
  return content;
}

/** Further choices are left out. */
export function choicesDropped(): Warning {
  return {
    code: "answer_part_dropped",
    path: "/choices/1",
    action: "dropped",
    detail: "The dialect gives one answer",
  };
}

/** Where the blocks of an answer stand. */
export const contentPath = "/output/message/content";

/** A block of another dialect has no place here. */
export function lossOf(block: Block): Warning {
  return blockDropped(block, contentPath);
}
