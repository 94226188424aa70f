import type { Json, JsonObject } from "../contract/json.ts";
import type { Warning } from "../contract/warning.ts";
import { toldMembers } from "./told-members.ts";

/**
 * Warnings for the members of a piece of a caller's body that no other dialect has a place for.
 *
 * @param path where the piece stands, as a JSON pointer
 * @param known members that are carried on, or tell nothing about what is asked
 * @param defaults values that ask for what happens anyway, by the names of their members
 */
export function membersDropped(
  piece: JsonObject,
  path: string,
  known: ReadonlySet<string>,
  defaults: Readonly<Record<string, Json>> = {},
): Warning[] {
  return Object.entries(toldMembers(piece) ?? {}).flatMap(([name, value]): Warning[] => {
    if (known.has(name)) return [];
    if (Object.hasOwn(defaults, name) && JSON.stringify(defaults[name]) === JSON.stringify(value)) {
      return [];
    }
    const step = name.replaceAll("~", "~0").replaceAll("/", "~1");
    return [{ code: "parameter_dropped", path: `${path}/${step}`, action: "dropped" }];
  });
}
