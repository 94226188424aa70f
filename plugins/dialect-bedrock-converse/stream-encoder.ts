import type {
  AnswerContext,
  Block,
  FinishPart,
  Frame,
  JsonObject,
  StreamEncoder,
  StreamPart,
  UsagePart,
  Warning,
} from "@vmx/core/contract";
import { argumentsNotJson, readArguments } from "@vmx/core/kit";
import { writeBlock, writeCallHead, writeCitation } from "./encode-blocks.ts";
import {
  choicesDropped,
  contentPath,
  lossOf,
  writeStop,
  writeTier,
  writeTold,
  writeUsage,
} from "./encode-response.ts";
import { writeException } from "./errors.ts";
import { objectOf, objectsOf, ownNative, without } from "./read-json.ts";

/**
 * Writes a stream of Converse events. A text is kept open until it is clear that no source cites it, because citations
 * are deltas of their text here.
 */
export function streamEncoder(_context: AnswerContext): StreamEncoder {
  let begun = false;
  let failed = false;
  let places = 0;
  let held: { readonly place: number; readonly part: number } | undefined;
  let usage: UsagePart | undefined;
  let others = false;
  const warnings: Warning[] = [];
  const open = new Map<number, { readonly place: number; block: Block }>();

  const begin = (): Frame[] => {
    if (begun) return [];
    begun = true;
    return [write("messageStart", { role: "assistant" })];
  };
  const release = (): Frame[] => {
    if (!held) return [];
    const { place } = held;
    held = undefined;
    return [stop(place)];
  };

  const openBlock = (index: number, block: Block): Frame[] => {
    if (block.choice !== 0) {
      if (!others) warnings.push(choicesDropped());
      others = true;
      return [];
    }
    if (block.type === "source") {
      const citation = { citation: writeCitation(block) };
      if (held) return [delta(held.place, citation)];
      const place = places++;
      return [delta(place, citation), stop(place)];
    }
    const frames = release();
    const place = places;
    switch (block.type) {
      case "text":
      case "refusal":
        frames.push(delta(place, { text: block.text }));
        break;
      case "reasoning":
        frames.push(...reasoningDeltas(place, block));
        break;
      case "tool-call":
        frames.push(write("contentBlockStart", {
          contentBlockIndex: place,
          start: { toolUse: writeCallHead(block) },
        }));
        if (block.arguments !== "") {
          frames.push(delta(place, { toolUse: { input: block.arguments } }));
        }
        break;
      default: {
        const written = wholeBlock(block, place);
        if (written.length === 0) {
          warnings.push(lossOf(block));
          return frames;
        }
        frames.push(...written);
      }
    }
    places++;
    open.set(index, { place, block });
    return frames;
  };

  const grow = (part: Extract<StreamPart, { type: "block-delta" }>): Frame[] => {
    const entry = open.get(part.index);
    if (!entry) return [];
    const { place, block } = entry;
    switch (block.type) {
      case "text":
      case "refusal":
        return part.text ? [delta(place, { text: part.text })] : [];
      case "reasoning":
        return reasoningDeltas(place, part);
      case "tool-call":
        if (!part.text) return [];
        entry.block = { ...block, arguments: block.arguments + part.text };
        return [delta(place, { toolUse: { input: part.text } })];
      default:
        return [];
    }
  };

  const close = (index: number): Frame[] => {
    const entry = open.get(index);
    if (!entry) return [];
    open.delete(index);
    const { block } = entry;
    if (block.type === "tool-call" && readArguments(block.arguments).broken) {
      warnings.push(argumentsNotJson(contentPath, true));
    }
    if (block.type !== "text") return [stop(entry.place)];
    const frames = release();
    held = { place: entry.place, part: index };
    return frames;
  };

  const end = (finish: FinishPart): Frame[] => {
    if (finish.choice !== 0) return [];
    const told = writeTold(finish);
    const fields = told["additionalModelResponseFields"];
    const rest = without(told, "additionalModelResponseFields");
    const frames = [
      ...begin(),
      ...release(),
      write("messageStop", {
        ...writeStop(finish),
        ...(fields === undefined ? {} : { additionalModelResponseFields: fields }),
      }),
    ];
    if (usage || Object.keys(rest).length > 0) {
      const counted = usage ? { usage: writeUsage(usage), ...writeTier(usage) } : {};
      frames.push(
        write("metadata", { ...(usage ? { metrics: { latencyMs: 0 } } : {}), ...rest, ...counted }),
      );
    }
    return frames;
  };

  return {
    warnings,
    push(part) {
      switch (part.type) {
        case "start":
          return begin();
        case "block-start":
          return [...begin(), ...openBlock(part.index, part.block)];
        case "block-delta":
          return grow(part);
        case "block-end":
          return close(part.index);
        case "usage":
          usage = part;
          return [];
        case "finish":
          return failed ? [] : end(part);
        case "error":
          failed = true;
          return [...begin(), writeException(part)];
      }
    },
    end: () => [],
  };
}

/** Blocks that arrive whole: results of the service's own tools and images. */
function wholeBlock(block: Block, place: number): Frame[] {
  const own = ownNative(block);
  const unread = own?.["events"];
  if (block.type === "native" && unread !== undefined) {
    return objectsOf(unread).map((event) => delta(place, event));
  }
  const written = writeBlock(block);
  const result = objectOf(written?.["toolResult"]);
  if (result) {
    const { content, ...start } = result;
    return [
      write("contentBlockStart", { contentBlockIndex: place, start: { toolResult: start } }),
      ...objectsOf(content).map((each) => delta(place, { toolResult: [each] })),
    ];
  }
  const image = objectOf(written?.["image"]);
  if (!image) return [];
  const { source, ...start } = image;
  return [
    write("contentBlockStart", { contentBlockIndex: place, start: { image: start } }),
    delta(place, { image: { source: source! } }),
  ];
}

function reasoningDeltas(
  place: number,
  grown: { readonly text?: string; readonly signature?: string; readonly encrypted?: string },
): Frame[] {
  const pieces: JsonObject[] = [];
  if (grown.text) pieces.push({ text: grown.text });
  if (grown.signature !== undefined) pieces.push({ signature: grown.signature });
  if (grown.encrypted !== undefined) pieces.push({ redactedContent: grown.encrypted });
  return pieces.map((piece) => delta(place, { reasoningContent: piece }));
}

function delta(place: number, members: JsonObject): Frame {
  return write("contentBlockDelta", { delta: members, contentBlockIndex: place });
}

function stop(place: number): Frame {
  return write("contentBlockStop", { contentBlockIndex: place });
}

function write(event: string, data: JsonObject): Frame {
  return { event, data: JSON.stringify(data) };
}
