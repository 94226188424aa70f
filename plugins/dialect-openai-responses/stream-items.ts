import type { Block, BlockDelta, Json, JsonObject, Native, StreamPart } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { listOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import {
  decodeAnnotation,
  decodeItem,
  messagePart,
  otherItem,
  partNative,
  reasoningClosing,
  reasoningContinuing,
  type ReasoningKind,
  toolCall,
} from "./decode-item.ts";
import { readReasoningTexts, summaryBreak } from "./decode-reasoning.ts";
import { itemType } from "./items.ts";

/** Follows one output item of a stream and emits its blocks. */
export interface ItemReader {
  /** The item is announced. */
  begin(): void;
  partAdded(at: number, part: JsonObject): void;
  partDone(at: number, part: JsonObject): void;
  text(at: number, delta: string, logprobs: readonly Json[]): void;
  textDone(at: number, text: string, logprobs: readonly Json[]): void;
  annotation(at: number, annotation: JsonObject): void;
  refusal(at: number, delta: string): void;
  arguments(delta: string): void;
  reasoning(kind: ReasoningKind, partIndex: number, delta: string): void;
  /** The item is complete: what was not yet told is told now. */
  done(item: JsonObject): void;
  /** Ends blocks whose end was not announced. */
  close(): void;
  /** The item as it is known. */
  item(): JsonObject;
}

/** A block that is being told. */
interface OpenBlock {
  readonly index: number;
  text: string;
  /** The native that was told last, as text. */
  native: string;
  open: boolean;
  annotations: number;
  logprobs: boolean;
  /** Which part of a reasoning item was told last. */
  partIndex: number;
}

/** Creates a reader of the announced `item`. */
export function createItemReader(
  item: JsonObject,
  emit: (part: StreamPart) => void,
  nextIndex: () => number,
): ItemReader {
  const type = itemType(item);
  const blocks = new Map<string, OpenBlock>();
  let known = item;
  let complete = false;

  const open = (key: string, block: Block): OpenBlock => {
    const opened: OpenBlock = {
      index: nextIndex(),
      text: "",
      native: JSON.stringify(block.native),
      open: true,
      annotations: 0,
      logprobs: false,
      partIndex: 0,
    };
    blocks.set(key, opened);
    emit({ type: "block-start", index: opened.index, block });
    return opened;
  };
  const grow = (block: OpenBlock, text: string, logprobs: readonly Json[] = []): void => {
    if (text === "" && logprobs.length === 0) return;
    block.text += text;
    if (logprobs.length > 0) block.logprobs = true;
    emit({
      type: "block-delta",
      index: block.index,
      ...(text === "" ? {} : { text }),
      ...(logprobs.length > 0 ? { logprobs } : {}),
    });
  };
  /** Tells what is missing of a text that is known whole. */
  const growTo = (block: OpenBlock, text: string): void => {
    if (text.length > block.text.length && text.startsWith(block.text)) {
      grow(block, text.slice(block.text.length));
    }
  };
  const end = (block: OpenBlock, closing: Omit<BlockDelta, "type" | "index"> = {}): void => {
    if (!block.open) return;
    block.open = false;
    const { native, ...others } = closing;
    const changed = native !== undefined && JSON.stringify(native) !== block.native;
    if (changed || Object.keys(others).length > 0) {
      emit({
        type: "block-delta",
        index: block.index,
        ...others,
        ...(changed ? { native } : {}),
      });
    }
    emit({ type: "block-end", index: block.index });
  };

  const part = (at: number, shape: JsonObject): OpenBlock => {
    const { annotations: _annotations, ...bare } = shape;
    const kept = Array.isArray(_annotations) ? { ...bare, annotations: [] } : bare;
    const empty = shape["type"] === "refusal" ? { refusal: "" } : { text: "" };
    const logprobs = Array.isArray(shape["logprobs"]) ? { logprobs: [] } : {};
    return blocks.get(`part ${at}`) ??
      open(`part ${at}`, messagePart(known, { ...kept, ...empty, ...logprobs }, at));
  };
  const isKnownPart = (shape: JsonObject): boolean =>
    shape["type"] === "output_text" || shape["type"] === "refusal";
  const annotate = (block: OpenBlock, annotation: JsonObject): void => {
    block.annotations++;
    const index = nextIndex();
    emit({ type: "block-start", index, block: decodeAnnotation(annotation) });
    emit({ type: "block-end", index });
  };
  const finishPart = (at: number, shape: JsonObject): void => {
    if (type !== "message") return;
    if (!isKnownPart(shape)) {
      if (blocks.has(`part ${at}`)) return;
      end(open(`part ${at}`, messagePart(known, shape, at)));
      return;
    }
    const block = part(at, shape);
    growTo(block, textOf(shape["text"]) ?? textOf(shape["refusal"]) ?? "");
    if (!block.open) return;
    if (!block.logprobs) grow(block, "", listOf(shape["logprobs"]));
    listOf(shape["annotations"]).filter(isObject).slice(block.annotations)
      .forEach((annotation) => annotate(block, annotation));
    end(block, { native: partNative(known, shape, at) });
  };

  const reasoningBlock = (kind: ReasoningKind): OpenBlock => {
    const found = blocks.get(kind);
    if (found) return found;
    const { native: own } = reasoningClosing(known, kind);
    const native: Native | undefined = blocks.size === 0 ? own : reasoningContinuing(kind);
    return open(kind, {
      type: "reasoning",
      choice: 0,
      text: "",
      ...(native === undefined ? {} : { native }),
    });
  };
  const finishReasoning = (): void => {
    const { content, summary } = readReasoningTexts(known);
    if (content !== undefined) growTo(reasoningBlock("content"), content);
    if (summary !== undefined) growTo(reasoningBlock("summary"), summary);
    if (blocks.size === 0) reasoningBlock("summary");
    let first = true;
    for (const [kind, block] of blocks) {
      // Only blocks of the two kinds are opened for reasoning.
      end(block, first ? reasoningClosing(known, kind as ReasoningKind) : {});
      first = false;
    }
  };

  const finish = (): void => {
    switch (type) {
      case "message": {
        const parts = listOf(known["content"]).filter(isObject);
        if (parts.length === 0 && blocks.size === 0) {
          for (const block of decodeItem(known)) end(open("item", block));
        }
        return parts.forEach((shape, at) => finishPart(at, shape));
      }
      case "reasoning":
        return finishReasoning();
      case "function_call": {
        const call = blocks.get("call") ?? open("call", toolCall(known, ""));
        growTo(call, textOf(known["arguments"]) ?? "");
        return end(call, nativeOf(toolCall(known, "")));
      }
      default: {
        const block = otherItem(known);
        end(blocks.get("item") ?? open("item", block), nativeOf(block));
      }
    }
  };

  return {
    begin() {
      if (type === "function_call") open("call", toolCall(item, ""));
      else if (type !== "message" && type !== "reasoning" && type !== "image_generation_call") {
        open("item", otherItem(item));
      }
    },
    partAdded(at, shape) {
      if (type === "message" && isKnownPart(shape)) part(at, shape);
    },
    partDone: finishPart,
    text(at, delta, logprobs) {
      grow(part(at, { type: "output_text" }), delta, logprobs);
    },
    textDone(at, text, logprobs) {
      const block = part(at, { type: "output_text" });
      growTo(block, text);
      if (!block.logprobs && block.open) grow(block, "", logprobs);
    },
    annotation(at, annotation) {
      annotate(part(at, { type: "output_text" }), annotation);
    },
    refusal(at, delta) {
      grow(part(at, { type: "refusal" }), delta);
    },
    arguments(delta) {
      grow(blocks.get("call") ?? open("call", toolCall(known, "")), delta);
    },
    reasoning(kind, partIndex, delta) {
      const block = reasoningBlock(kind);
      if (block.partIndex !== partIndex && block.text !== "") grow(block, summaryBreak);
      block.partIndex = partIndex;
      grow(block, delta);
    },
    done(whole) {
      if (complete) return;
      complete = true;
      known = whole;
      finish();
    },
    close() {
      for (const block of blocks.values()) end(block);
    },
    item: () => known,
  };
}

function nativeOf(block: Block): { readonly native?: Native } {
  return block.native === undefined ? {} : { native: block.native };
}
