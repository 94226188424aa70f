import type { Json, JsonObject, Native } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";

/** The dialect's id, as it stands in natives and calls. */
export const dialectId = "bedrock-converse";

/** A string, or undefined for anything else. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A number, or undefined for anything else. */
export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** A boolean, or undefined for anything else. */
export function flagOf(value: Json | undefined): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** An object, or undefined for anything else. */
export function objectOf(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The objects of an array; none for anything else. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
}

/** The texts of an array; none for anything else. */
export function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value)
    ? (value as readonly Json[]).filter((each) => typeof each === "string")
    : [];
}

/** Wraps an original spelling. */
export function native(value: Json): Native {
  return { dialect: dialectId, value };
}

/** The original spelling, when it is of this dialect and an object. */
export function ownNative(from: { readonly native?: Native }): JsonObject | undefined {
  return from.native?.dialect === dialectId ? objectOf(from.native.value) : undefined;
}

/** A copy without members that are undefined. */
export function compact(object: JsonObject): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(object)) if (value !== undefined) out[name] = value;
  return out;
}

/** A copy without the members named, nor those that are undefined. */
export function without(object: JsonObject, ...names: readonly string[]): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(object)) {
    if (value !== undefined && !names.includes(name)) out[name] = value;
  }
  return out;
}

/** Adds members of the original that the canonical form has no place for. */
export function restore(written: JsonObject, original: JsonObject | undefined): JsonObject {
  return { ...original, ...compact(written) };
}

/** Undefined for an object without members. */
export function filled(object: JsonObject): Record<string, Json> | undefined {
  const out = compact(object);
  return Object.keys(out).length === 0 ? undefined : out;
}

/** A copy without members that are undefined, typed so that they may be absent. */
export function present<Members extends object>(members: Members): Present<Members> {
  // Only undefined members go, which is what the type says.
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Present<Members>;
}

/** See `present`. */
export type Present<Members> = {
  [Name in keyof Members]?: Exclude<Members[Name], undefined>;
};

/** Names one member of a JSON pointer's path. */
export function pointer(...steps: readonly (string | number)[]): string {
  return steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
