import type { Block, BlockDelta } from "@vmx/core/contract";
import { assembleParts } from "@vmx/core/kit";

/** A block as far as it has come. */
export interface BlockState {
  readonly index: number;
  /** The block as it opened. */
  readonly opened: Block;
  grow(delta: BlockDelta): void;
  /** The block as it stands now. */
  block(): Block;
}

/** Creates the state of a block; its texts are kept in pieces until they are asked for. */
export function createBlockState(index: number, opened: Block): BlockState {
  let deltas: BlockDelta[] = [];
  let texts: string[] = [];
  let grown = opened;
  return {
    index,
    opened,
    grow(delta) {
      if (delta.text !== undefined) texts.push(delta.text);
      const { text: _text, ...others } = delta;
      if (Object.keys(others).length > 2) deltas.push(others);
    },
    block() {
      if (texts.length === 0 && deltas.length === 0) return grown;
      const text: BlockDelta = { type: "block-delta", index, text: texts.join("") };
      const [whole] = assembleParts([
        { type: "block-start", index, block: grown },
        text,
        ...deltas,
      ]);
      texts = [];
      deltas = [];
      // Assembling one block gives that block.
      return grown = whole as Block;
    },
  };
}
