import type { Json, JsonObject } from "../contract/json.ts";
import type { Warning } from "../contract/warning.ts";
import { tells } from "./told-members.ts";

/**
 * Warnings for the members of a piece of a caller's body that no other dialect has a place for.
 *
 * @param path where the piece stands, as a JSON pointer; asked for only when something is lost
 * @param known members that are carried on, or tell nothing about what is asked
 * @param defaults values that ask for what happens anyway, by the names of their members
 */
export function membersDropped(
  piece: JsonObject,
  path: () => string,
  known: ReadonlySet<string>,
  defaults: Readonly<Record<string, Json>> = {},
): Warning[] {
  const warnings: Warning[] = [];
  for (const name in piece) {
    const value = piece[name];
    if (known.has(name) || value === undefined || !tells(value)) continue;
    if (Object.hasOwn(defaults, name) && JSON.stringify(defaults[name]) === JSON.stringify(value)) {
      continue;
    }
    const step = name.replaceAll("~", "~0").replaceAll("/", "~1");
    warnings.push({ code: "parameter_dropped", path: `${path()}/${step}`, action: "dropped" });
  }
  return warnings;
}
