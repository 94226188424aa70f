import type {
  AnswerContext,
  Block,
  BlockDelta,
  Frame,
  Json,
  JsonObject,
  Warning,
} from "@vmx/core/contract";
import { argumentsNotJson, blockDropped, readArguments } from "@vmx/core/kit";
import { logprobsDropped } from "./encode-response.ts";
import { compact, pointer } from "./read-json.ts";
import { event } from "./write-event.ts";
import {
  ownBlock,
  ownMembers,
  sealReasoning,
  shownText,
  writeCallHead,
  writeCitation,
} from "./write-blocks.ts";

/** Writes blocks one after the other; the next is opened only after `close`. */
export interface BlockWriter {
  /** Opens a block, or does nothing when it is the open one. */
  open(index: number, block: Block): Frame[];
  grow(delta: BlockDelta): Frame[];
  close(): Frame[];
  /** No block follows. */
  end(): Frame[];
}

/** What is being written: the canonical block, and whether its wire block has been opened yet. */
interface Current {
  readonly index: number;
  readonly block: Block;
  text: string;
  signature: string | undefined;
  encrypted: string | undefined;
  opened: boolean;
}

/**
 * Creates a writer. Wire blocks open with their first text, so that blank ones never appear, as in a plain answer; a
 * text's wire block stays open until something else than a source follows, because citations stand inside it.
 */
export function createBlockWriter(context: AnswerContext, warnings: Warning[]): BlockWriter {
  let wireIndex = 0;
  let current: Current | undefined;
  let textOpen = false;

  const start = (block: JsonObject): Frame => {
    return event("content_block_start", { index: wireIndex, content_block: block });
  };
  const delta = (value: JsonObject): Frame => {
    return event("content_block_delta", { index: wireIndex, delta: value });
  };
  const stop = (): Frame => event("content_block_stop", { index: wireIndex++ });

  const closeText = (): Frame[] => {
    if (!textOpen) return [];
    textOpen = false;
    return [stop()];
  };

  const say = (entry: Current, text: string): Frame[] => {
    if (text === "") return [];
    entry.text += text;
    const frames: Frame[] = [];
    switch (entry.block.type) {
      case "text":
      case "refusal":
        if (shownText(entry.block) === undefined) return [];
        if (!entry.opened) {
          entry.opened = true;
          frames.push(
            ...closeText(),
            start({ ...ownMembers(entry.block), type: "text", text: "" }),
          );
          textOpen = true;
        }
        return [...frames, delta({ type: "text_delta", text })];
      case "reasoning":
        if (!entry.opened) {
          entry.opened = true;
          const head = { type: "thinking", thinking: "", signature: "" };
          frames.push(...closeText(), start({ ...ownMembers(entry.block), ...head }));
        }
        return [...frames, delta({ type: "thinking_delta", thinking: text })];
      case "tool-call":
        return entry.opened ? [delta({ type: "input_json_delta", partial_json: text })] : [];
      default:
        return [];
    }
  };

  const noteLogprobs = (logprobs: Json | undefined): void => {
    if (logprobs !== undefined && !warnings.includes(logprobsDropped)) {
      warnings.push(logprobsDropped);
    }
  };

  const drop = (block: Block): Frame[] => {
    warnings.push(blockDropped(block, pointer("content", wireIndex + (textOpen ? 1 : 0))));
    return [];
  };

  const cite = (citation: JsonObject): Frame[] => {
    const frames: Frame[] = [];
    if (!textOpen) {
      frames.push(start({ type: "text", text: "" }));
      textOpen = true;
    }
    return [...frames, delta({ type: "citations_delta", citation })];
  };

  return {
    open(index, block) {
      if (current?.index === index) return [];
      if (block.type === "text") noteLogprobs(block.logprobs);
      current = {
        index,
        block,
        text: "",
        signature: "signature" in block ? block.signature : undefined,
        encrypted: "encrypted" in block ? block.encrypted : undefined,
        opened: false,
      };
      switch (block.type) {
        case "source":
          return cite(writeCitation(block));
        case "tool-call": {
          const head = writeCallHead(block);
          if (!head) return drop(block);
          current.opened = true;
          return [...closeText(), start({ ...head, input: {} }), ...say(current, block.arguments)];
        }
        case "native": {
          const own = ownBlock(block);
          return own ? [...closeText(), start(compact(own)), stop()] : drop(block);
        }
        case "text":
        case "refusal":
        case "reasoning":
          return say(current, block.text);
        default:
          return drop(block);
      }
    },
    grow(part) {
      if (!current) return [];
      noteLogprobs(part.logprobs);
      current.signature = part.signature ?? current.signature;
      current.encrypted = part.encrypted ?? current.encrypted;
      return part.text === undefined ? [] : say(current, part.text);
    },
    close() {
      const entry = current;
      current = undefined;
      if (!entry) return [];
      if (entry.block.type === "tool-call") {
        if (!entry.opened) return [];
        if (readArguments(entry.text).broken) {
          warnings.push(argumentsNotJson(pointer("content", wireIndex, "input"), true));
        }
        return [stop()];
      }
      if (entry.block.type !== "reasoning") return [];
      const seal = sealReasoning({
        text: entry.text,
        ...(entry.signature === undefined ? {} : { signature: entry.signature }),
        ...(entry.encrypted === undefined ? {} : { encrypted: entry.encrypted }),
      }, context);
      if (!seal) return [];
      const more = ownMembers(entry.block);
      if ("data" in seal) {
        return [...closeText(), start({ ...more, type: "redacted_thinking", ...seal }), stop()];
      }
      const frames: Frame[] = [];
      if (!entry.opened) {
        const head = { type: "thinking", thinking: "", signature: "" };
        frames.push(...closeText(), start({ ...more, ...head }));
      }
      if (seal.signature !== "") frames.push(delta({ type: "signature_delta", ...seal }));
      return [...frames, stop()];
    },
    end: closeText,
  };
}
