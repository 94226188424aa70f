import type { Json } from "../contract/json.ts";
import type { Block, Part, StreamPart } from "../contract/part.ts";

/** Assembles a streamed answer into the Parts its plain form would have: start, blocks, usage, finish. */
export function assembleParts(stream: Iterable<StreamPart>): Part[] {
  const head: Part[] = [];
  const blocks: Block[] = [];
  const places = new Map<number, number>();
  const usage: Part[] = [];
  const tail: Part[] = [];
  for (const part of stream) {
    if (part.type === "block-start") {
      places.set(part.index, blocks.length);
      blocks.push(part.block);
    } else if (part.type === "block-delta") {
      const place = places.get(part.index);
      const block = place === undefined ? undefined : blocks[place];
      if (place !== undefined && block) blocks[place] = grow(block, part);
    } else if (part.type === "start") head.push(part);
    else if (part.type === "usage") usage.push(part);
    else if (part.type !== "block-end") tail.push(part);
  }
  return [...head, ...blocks, ...usage, ...tail];
}

function grow(block: Block, delta: Extract<StreamPart, { type: "block-delta" }>): Block {
  const grown: Record<string, unknown> = { ...block };
  if (delta.text !== undefined) {
    if (block.type === "tool-call") grown["arguments"] = block.arguments + delta.text;
    else if ("text" in block) grown["text"] = block.text + delta.text;
  }
  if (delta.signature !== undefined) grown["signature"] = delta.signature;
  if (delta.encrypted !== undefined) grown["encrypted"] = delta.encrypted;
  if (delta.native !== undefined) grown["native"] = delta.native;
  if (delta.logprobs !== undefined) {
    const before = "logprobs" in block && Array.isArray(block.logprobs) ? block.logprobs : [];
    const more = Array.isArray(delta.logprobs) ? delta.logprobs : [delta.logprobs];
    grown["logprobs"] = [...before, ...more] as Json;
  }
  // Only members the block's own type has were replaced.
  return grown as unknown as Block;
}
