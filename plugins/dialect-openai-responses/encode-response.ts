import type {
  AnswerContext,
  Block,
  JsonObject,
  Part,
  Translated,
  Warning,
} from "@vmx/core/contract";
import { blockDropped } from "@vmx/core/kit";
import { groupBlocks, kindOf, missingRefusal } from "./answer-items.ts";
import { isCutShort, type Shell, writeResponse } from "./answer-shell.ts";
import { ownNative } from "./native.ts";
import { writeItem } from "./write-item.ts";

/** Writes Parts as a plain answer. A dialect of one answer shows the first choice. */
export function encodeResponse(
  parts: readonly Part[],
  context: AnswerContext,
): Translated<JsonObject> {
  const warnings: Warning[] = [];
  const start = parts.find((part) => part.type === "start");
  const usage = parts.findLast((part) => part.type === "usage");
  const finish = parts.filter((part) => part.type === "finish").find(({ choice }) => choice === 0);
  const error = parts.find((part) => part.type === "error");
  const reason = finish?.reason;
  const original = finish && ownNative(finish);
  const blocks = parts.filter((part): part is Block => "choice" in part && part.type !== "finish");
  for (const block of blocks) {
    const told = blockDropped(block, "/output");
    if (block.choice > 0) {
      warnings.push({ ...told, detail: `part of answer ${block.choice + 1}` });
    } else if (kindOf(block) === "lost") warnings.push(told);
  }
  const first = blocks.filter(({ choice }) => choice === 0);
  const refusal = missingRefusal(first, finish);
  if (refusal) {
    first.push(refusal);
    warnings.push(refusalSynthesized);
  }
  const output = writeOutput(first, context, isCutShort(original, reason));
  const shell: Shell = { start, context, original, extras: finish?.extras };
  const response = writeResponse(shell, output, usage, reason);
  if (!error) return { value: response, warnings };
  const { code, message } = error;
  return {
    value: { ...response, status: "failed", error: { code: code ?? "server_error", message } },
    warnings,
  };
}

/** A refusal of `missingRefusal`. */
export const refusalSynthesized: Warning = {
  code: "refusal_synthesized",
  path: "/output",
  action: "synthesized",
  detail: "The answer ended with a refusal and no words for it",
};

/** Writes output items, the last of which is incomplete when the answer is cut short. */
function writeOutput(
  blocks: readonly Block[],
  context: AnswerContext,
  cutShort: boolean,
): JsonObject[] {
  const groups = groupBlocks(blocks);
  return groups.map((group, outputIndex) => {
    const last = outputIndex === groups.length - 1;
    return writeItem(group, {
      outputIndex,
      status: cutShort && last ? "incomplete" : "completed",
      context,
    });
  });
}
