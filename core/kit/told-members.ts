import type { Json, JsonObject } from "../contract/json.ts";
import { isObject } from "./json-text.ts";

/** The members of an object that tell anything: not nulls, blanks, or what holds nothing else; undefined when none does. */
export function toldMembers(members: JsonObject): Record<string, Json> | undefined {
  const told: Record<string, Json> = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined && tells(value)) told[name] = value;
  }
  return Object.keys(told).length === 0 ? undefined : told;
}

/** Whether a value tells anything: see `toldMembers`. */
export function tells(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) {
    return Object.values(value).some((each) => each !== undefined && tells(each));
  }
  return value !== null && value !== "";
}
