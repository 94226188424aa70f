import type { Warning } from "../contract/warning.ts";

/** The warning for a part of an instruction that is no text; no other dialect has instructions of anything else. */
export function systemPartDropped(type: string, path: string): Warning {
  const detail = `Instructions are texts; a part of type "${type.slice(0, 40)}" is left out`;
  return { code: "system_part_dropped", path, action: "dropped", detail };
}
