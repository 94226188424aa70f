import type { FileContent } from "../contract/call.ts";
import type { Warning } from "../contract/warning.ts";

/** Warnings for what a caller asks of a file, or tells about it, in a dialect that takes nothing beside its bytes. */
export function fileLosses({ citations, context }: FileContent, path: string): Warning[] {
  return Object.entries({ context, citations }).flatMap(([name, value]): Warning[] =>
    value === undefined
      ? []
      : [{ code: "parameter_dropped", path: `${path}/${name}`, action: "dropped" }]
  );
}
