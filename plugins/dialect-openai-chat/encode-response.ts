import type {
  AnswerContext,
  Block,
  FinishPart,
  Json,
  JsonObject,
  Part,
  SourceBlock,
  ToolCallBlock,
  Translated,
  Warning,
} from "@vmx/core/contract";
import { blockDropped, mergeObjects } from "@vmx/core/kit";
import { expectsFunctionCall, writeStart, writeUsage } from "./answer-members.ts";
import { encodeVectors } from "./embeddings.ts";
import { isApproximated, writeFinishReason } from "./finish-reason.ts";
import { writeUrl } from "./media.ts";
import { compact, dialectId, objectOf, ownNative, pointer, restore, textOf } from "./read-json.ts";
import { writeDetails } from "./reasoning.ts";

/** Writes Parts as a plain answer. */
export function encodeResponse(
  parts: readonly Part[],
  context: AnswerContext,
): Translated<JsonObject> {
  if (context.operation === "embeddings") {
    return { value: encodeVectors(parts, context), warnings: [] };
  }
  const warnings: Warning[] = [];
  const start = parts.find((part) => part.type === "start");
  const usage = parts.findLast((part) => part.type === "usage");
  const finishes = parts.filter((part) => part.type === "finish");
  const blocks = parts.filter((part): part is Block => "choice" in part && part.type !== "finish");
  const numbers = new Set([...blocks, ...finishes].map(({ choice }) => choice));
  const choices = [...numbers].sort((a, b) => a - b).map((choice) =>
    encodeChoice(
      choice,
      blocks.filter((block) => block.choice === choice),
      finishes.find((finish) => finish.choice === choice),
      context,
      warnings,
    )
  );
  const late = finishes.map((finish) => objectOf(ownNative(finish)?.["answer"]));
  return {
    value: {
      ...mergeObjects(writeStart(start, "chat.completion", context), ...late),
      ...(usage?.serviceTier === undefined ? {} : { service_tier: usage.serviceTier }),
      choices,
      ...(usage ? { usage: writeUsage(usage) } : {}),
    },
    warnings,
  };
}

function encodeChoice(
  index: number,
  blocks: readonly Block[],
  finish: FinishPart | undefined,
  context: AnswerContext,
  warnings: Warning[],
): JsonObject {
  const own = finish && ownNative(finish);
  const rest = objectOf(own?.["choice"]) ?? {};
  const message = objectOf(own?.["message"]);
  const bare = own !== undefined && message === undefined && blocks.length === 0;
  const { logprobs, ...others } = rest;
  const said = blocks.some(({ type }) => type === "refusal");
  const refusal = finish && !said ? missingRefusal(finish) : undefined;
  if (refusal) warnings.push(refusalSynthesized(index));
  const shown = refusal ? [...blocks, refusal] : blocks;
  return compact({
    ...(own ? others : finish?.extras),
    index,
    ...(bare ? {} : { message: encodeMessage(shown, own && (message ?? {}), context, warnings) }),
    logprobs: writeLogprobs(blocks, logprobs, own !== undefined),
    finish_reason: Object.hasOwn(others, "finish_reason")
      ? others["finish_reason"]
      : writeReason(finish, context, warnings),
  });
}

/**
 * The refusal a choice lacks that ended with one: other families only stop, while here `refusal` has to say it.
 * Undefined for a finish that says enough.
 */
export function missingRefusal(finish: FinishPart): Block | undefined {
  if (finish.reason !== "refusal" || ownNative(finish)) return undefined;
  return { type: "refusal", choice: finish.choice, text: "The model declined to answer." };
}

/** A block that has no place here: of another dialect, or of a tool the provider ran by itself. */
export function lossOf(block: Block): Warning {
  return blockDropped(block, pointer("choices", block.choice, "message"));
}

/** A refusal of `missingRefusal`. */
export function refusalSynthesized(choice: number): Warning {
  return {
    code: "refusal_synthesized",
    path: pointer("choices", choice, "message", "refusal"),
    action: "synthesized",
    detail: "The answer ended with a refusal and no words for it",
  };
}

/** The dialect's word for a finish; an own spelling stays. */
export function writeReason(
  finish: FinishPart | undefined,
  context: AnswerContext,
  warnings: Warning[],
): string {
  if (!finish) return "stop";
  if (finish.native?.dialect === dialectId && finish.raw !== undefined) return finish.raw;
  if (isApproximated(finish.reason)) {
    warnings.push({
      code: "finish_reason_approximated",
      path: pointer("choices", finish.choice, "finish_reason"),
      action: "approximated",
      detail: finish.reason,
    });
  }
  const word = writeFinishReason(finish.reason);
  return word === "tool_calls" && expectsFunctionCall(context) ? "function_call" : word;
}

function writeLogprobs(
  blocks: readonly Block[],
  rest: Json | undefined,
  own: boolean,
): Json | undefined {
  const text = blocks.find((block) => block.type === "text" && block.logprobs !== undefined);
  if (text?.type !== "text") return own ? rest : null;
  return { refusal: null, ...objectOf(rest), content: text.logprobs! };
}

/** Writes the blocks of one choice. `rest` is what its message held beyond them, where it was of this dialect. */
function encodeMessage(
  blocks: readonly Block[],
  rest: JsonObject | undefined,
  context: AnswerContext,
  warnings: Warning[],
): JsonObject {
  const message: Record<string, Json | undefined> = { role: "assistant" };
  const content: Json[] = [];
  const lists: Record<string, Json[]> = {};
  const add = (name: string, value: Json): void => {
    (lists[name] ??= []).push(value);
  };
  let typed = false;
  for (const block of blocks) {
    switch (block.type) {
      case "text": {
        const own = ownNative(block);
        if (own) typed = true;
        content.push(restore({ type: "text", text: block.text }, own, new Set(["text"])));
        break;
      }
      case "reasoning":
        appendReasoning(message, block, context);
        break;
      case "refusal":
        message["refusal"] = (textOf(message["refusal"]) ?? "") + block.text;
        break;
      case "tool-call":
        if (block.server) warnings.push(lossOf(block));
        else if (isFunctionCall(block, context)) {
          message["function_call"] = { name: block.name, arguments: block.arguments };
        } else add("tool_calls", writeCall(block));
        break;
      case "source":
        add("annotations", writeSource(block));
        break;
      case "file": {
        const image = writeImage(block);
        if (image) add("images", image);
        else warnings.push(lossOf(block));
        break;
      }
      case "native": {
        const place = placeOf(block);
        if (!place) {
          warnings.push(lossOf(block));
        } else if (place.list === "content") {
          typed = true;
          content.push(place.value);
        } else if (place.list === undefined) message["audio"] = place.value;
        else add(place.list, place.value);
      }
    }
  }
  if (content.length > 0) {
    message["content"] = typed
      ? content
      : content.map((part) => textOf(objectOf(part)?.["text"]) ?? "").join("");
  }
  if (!rest) {
    message["content"] ??= null;
    message["refusal"] ??= null;
  }
  return compact({ ...message, ...lists, ...rest });
}

/** Whether a call is to be written in the legacy form. */
export function isFunctionCall(block: ToolCallBlock, context: AnswerContext): boolean {
  return ownNative(block)?.["function_call"] !== undefined || expectsFunctionCall(context);
}

function appendReasoning(
  message: Record<string, Json | undefined>,
  block: Extract<Block, { type: "reasoning" }>,
  context: AnswerContext,
): void {
  const own = ownNative(block);
  const member = own ? textOf(own["member"]) : "reasoning_content";
  if (member !== undefined) message[member] = (textOf(message[member]) ?? "") + block.text;
  const details = own?.["details"] ?? writeDetails(block, context.family);
  if (!Array.isArray(details)) return;
  const before = message["reasoning_details"];
  message["reasoning_details"] = [...(Array.isArray(before) ? before as Json[] : []), ...details];
}

function writeCall(block: ToolCallBlock): JsonObject {
  const own = ownNative(block);
  const called = restore(
    { name: block.name, arguments: block.arguments },
    objectOf(own?.["function"]),
    new Set(["name", "arguments"]),
  );
  return restore(
    { id: block.id, type: "function", function: called },
    own,
    new Set(["id", "function"]),
  );
}

/** Writes a cited source as an annotation. */
export function writeSource(block: SourceBlock): JsonObject {
  const own = ownNative(block);
  if (own) return compact(own);
  return {
    type: "url_citation",
    url_citation: {
      url: block.url ?? "",
      title: block.title ?? block.url ?? "",
      start_index: block.start ?? 0,
      end_index: block.end ?? 0,
      // No member of the dialect's own, but one its callers can read.
      ...(block.citedText === undefined ? {} : { cited_text: block.citedText }),
    },
  };
}

/** Writes an image the model made; undefined for one that only its provider's id leads to. */
export function writeImage(block: Extract<Block, { type: "file" }>): JsonObject | undefined {
  const url = writeUrl(block.source);
  return ownNative(block) ??
    (url === undefined ? undefined : { type: "image_url", image_url: { url } });
}

/** Where a native block belongs; without `list` it is the message's audio. Undefined for those of others. */
export function placeOf(
  block: Extract<Block, { type: "native" }>,
): { readonly list?: string; readonly value: JsonObject } | undefined {
  const value = ownNative(block);
  if (!value) return undefined;
  const list = nativeLists[block.kind];
  return list === undefined ? (block.kind === "audio" ? { value } : undefined) : { list, value };
}

const nativeLists: Readonly<Record<string, string>> = {
  "content": "content",
  "annotation": "annotations",
  "image": "images",
  "tool-call": "tool_calls",
};
