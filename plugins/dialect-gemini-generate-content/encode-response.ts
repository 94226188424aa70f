import type {
  AnswerContext,
  Block,
  FinishPart,
  Json,
  JsonObject,
  Part,
  Translated,
  Warning,
} from "@vmx/core/contract";
import { argumentsNotJson, blockDropped, readArguments } from "@vmx/core/kit";
import { isBlocked, writeReason, writeStart } from "./answer-members.ts";
import { signsText, writePart } from "./answer-parts.ts";
import { writeCount } from "./count-tokens.ts";
import { encodeVectors } from "./embeddings.ts";
import { writeSources } from "./grounding.ts";
import { writeLogprobs } from "./logprobs.ts";
import { compact, ownNative, pointer } from "./read-json.ts";
import { writeUsage } from "./tokens.ts";

/** Writes Parts as a plain answer. */
export function encodeResponse(
  parts: readonly Part[],
  context: AnswerContext,
): Translated<JsonObject> {
  if (context.operation === "embeddings") {
    return { value: encodeVectors(parts, context), warnings: [] };
  }
  if (context.operation === "count-tokens") return { value: writeCount(parts), warnings: [] };
  const warnings: Warning[] = [];
  const start = parts.find((part) => part.type === "start");
  const usage = parts.findLast((part) => part.type === "usage");
  const finishes = parts.filter((part) => part.type === "finish");
  const blocks = parts.filter((part): part is Block => "choice" in part && part.type !== "finish");
  const numbers = new Set([...blocks, ...finishes].map(({ choice }) => choice));
  const candidates = [...numbers].sort((a, b) => a - b).map((choice) =>
    writeCandidate(
      choice,
      blocks.filter((block) => block.choice === choice),
      finishes.find((finish) => finish.choice === choice),
      warnings,
    )
  );
  const refused = blocks.length === 0 && isBlocked(finishes[0]);
  return {
    value: {
      ...(refused ? {} : { candidates }),
      ...(usage ? { usageMetadata: writeUsage(usage) } : {}),
      ...writeStart(start, context),
    },
    warnings,
  };
}

function writeCandidate(
  index: number,
  blocks: readonly Block[],
  finish: FinishPart | undefined,
  warnings: Warning[],
): JsonObject {
  const parts: Record<string, Json>[] = [];
  for (const block of blocks) {
    const last = parts.at(-1);
    if (block.type === "reasoning" && signsText(block) && last && takesSignature(last)) {
      last["thoughtSignature"] = block.signature!;
      continue;
    }
    const part = writePart(block);
    if (part) parts.push(part);
    warnings.push(...lossOf(block, part));
  }
  return {
    content: { ...(parts.length === 0 ? {} : { parts }), role: "model" },
    finishReason: writeReason(finish, warnings),
    index,
    ...writeRest(blocks, finish),
  };
}

/**
 * What is lost of a block: all of it where it has no place among the parts, and the spelling of arguments that are
 * no object. Sources stand beside the content.
 *
 * @param part the block as it was written
 */
export function lossOf(block: Block, part: JsonObject | undefined): Warning[] {
  const path = pointer("candidates", block.choice, "content");
  if (!part) return block.type === "source" ? [] : [blockDropped(block, path)];
  const broken = block.type === "tool-call" && readArguments(block.arguments).broken;
  return broken ? [argumentsNotJson(path)] : [];
}

function takesSignature(part: JsonObject): boolean {
  return typeof part["text"] === "string" && part["thought"] !== true &&
    part["thoughtSignature"] === undefined;
}

/** What a candidate tells beside its content: as the service did, or made of sources and probabilities. */
export function writeRest(
  blocks: readonly Block[],
  finish: FinishPart | undefined,
): Record<string, Json> {
  const own = finish && ownNative(finish);
  if (own) return compact(own);
  const extras = finish?.extras ?? {};
  // The service's own members tell the sources already.
  const told = "groundingMetadata" in extras || "citationMetadata" in extras;
  const sources = told ? [] : blocks.filter((block) => block.type === "source");
  const texts = blocks.flatMap((block) => (block.type === "text" ? [block.text] : []));
  const spoken = blocks.find((block) => block.type === "text" && block.logprobs !== undefined);
  return {
    ...(sources.length === 0 ? {} : { groundingMetadata: writeSources(sources, texts) }),
    ...(spoken?.type === "text" ? { logprobsResult: writeLogprobs(spoken.logprobs!) } : {}),
    ...compact(extras),
  };
}
