import type { Json, JsonObject } from "../contract/json.ts";
import type { Warning } from "../contract/warning.ts";
import { membersDropped } from "./members-dropped.ts";

/**
 * Warnings for the members of a piece of a provider's answer that no other dialect has a place for.
 *
 * @param path where the piece stands, as a JSON pointer
 * @param known members that are carried on, or tell a caller nothing
 * @param defaults values that tell nothing, by the names of their members
 */
export function answerMembersDropped(
  piece: JsonObject,
  path: string,
  known: ReadonlySet<string>,
  defaults: Readonly<Record<string, Json>> = {},
): Warning[] {
  return membersDropped(piece, () => "", known, defaults).map(({ path: member }) => ({
    code: "answer_member_dropped",
    path,
    action: "dropped",
    detail: member.slice(1),
  }));
}
