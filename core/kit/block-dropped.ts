import type { Block } from "../contract/part.ts";
import type { Warning } from "../contract/warning.ts";

/**
 * The warning for a block of an answer that the caller's dialect has no place for.
 *
 * @param path where it would stand in the answer, as a JSON pointer
 */
export function blockDropped(block: Block, path: string): Warning {
  return { code: "answer_part_dropped", path, action: "dropped", detail: describe(block) };
}

function describe(block: Block): string {
  if (block.type === "native") return block.kind;
  // What was called says more than that something was.
  return block.type === "tool-call" && block.server ? block.name : block.type;
}
