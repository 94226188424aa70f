import type { Block, FinishPart } from "@vmx/core/contract";
import { ownNative } from "./native.ts";

/** The kinds of output items blocks can become; `lost` has no place in the dialect. */
export type ItemKind =
  | "message"
  | "reasoning"
  | "function"
  | "image"
  | "search"
  | "verbatim"
  | "lost";

/** The kind of item a block belongs to. */
export function kindOf(block: Block): ItemKind {
  switch (block.type) {
    case "text":
    case "refusal":
    case "source":
      return "message";
    case "reasoning":
      return "reasoning";
    case "tool-call":
      if (!block.server) return "function";
      return /web_?search/i.test(block.name) ? "search" : "lost";
    case "file":
      return block.source.kind === "base64" && block.source.mediaType.startsWith("image/")
        ? "image"
        : "lost";
    case "native": {
      const own = ownNative(block);
      if (!own) return "lost";
      return block.kind === "annotation" || typeof own["at"] === "number" ? "message" : "verbatim";
    }
  }
}

/**
 * Whether a block goes into the item that was opened last (for sources: the last with a text) instead of opening one.
 * Blocks that came from this dialect know where their items began.
 */
export function continues(block: Block): boolean {
  const own = ownNative(block);
  if (isAnnotation(block)) return true;
  if (own) return own["continues"] === true || (typeof own["at"] === "number" && own["at"] > 0);
  return kindOf(block) === "message";
}

/** Whether a block is an annotation of a text before it. */
export function isAnnotation(block: Block): boolean {
  return block.type === "source" || (block.type === "native" && block.kind === "annotation");
}

/**
 * The refusal an answer lacks that ended with one: other families only stop, while here a part has to say it.
 * Undefined when nothing is lacking.
 */
export function missingRefusal(
  blocks: readonly Block[],
  finish: FinishPart | undefined,
): Block | undefined {
  if (finish?.reason !== "refusal" || ownNative(finish)) return undefined;
  if (blocks.some(({ type, choice }) => type === "refusal" && choice === 0)) return undefined;
  return { type: "refusal", choice: 0, text: "The model declined to answer." };
}

/** Blocks that make up one output item. */
export interface ItemGroup {
  readonly kind: ItemKind;
  readonly blocks: readonly Block[];
}

/** Puts blocks together that make up one item; blocks without a place are left out. */
export function groupBlocks(blocks: readonly Block[]): ItemGroup[] {
  const groups: { kind: ItemKind; blocks: Block[] }[] = [];
  for (const block of blocks) {
    const kind = kindOf(block);
    if (kind === "lost") continue;
    const last = (isAnnotation(block) ? groups.findLast(hasText) : undefined) ?? groups.at(-1);
    if (last?.kind === kind && continues(block)) last.blocks.push(block);
    else groups.push({ kind, blocks: [block] });
  }
  return groups;
}

function hasText({ blocks }: ItemGroup): boolean {
  return blocks.some(({ type }) => type === "text");
}
