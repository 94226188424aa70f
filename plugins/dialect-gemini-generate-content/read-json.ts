import type { Json, JsonObject, Native } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";

/** The dialect's id, as it stands in natives and calls. */
export const dialectId = "gemini-generate-content";

/** The family whose signatures stand in the dialect's own parts. */
export const ownFamily = "gemini";

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

/** An array, or an empty one for anything else. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value as readonly Json[] : [];
}

/** The objects of an array; a lone object counts as a list of one, as protobuf's readers have it. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return isObject(value) ? [value] : listOf(value).filter(isObject);
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

/** A copy without members that are undefined, typed so that they may be absent. */
export function present<Members extends object>(members: Members): Present<Members> {
  // Only undefined members go, which is what the type says.
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Present<Members>;
}

type Present<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };

/** A copy without the members named, and without those that are undefined. */
export function without(
  object: JsonObject,
  names: ReadonlySet<string>,
): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(object)) {
    if (value !== undefined && !names.has(name)) out[name] = value;
  }
  return out;
}

/**
 * A copy whose own members are spelled in camel case: the service also takes the names of its protocol buffers,
 * such as `inline_data`. Nested objects are left as they are.
 */
export function camel(object: JsonObject): JsonObject {
  let plain = true;
  for (const name in object) if (name.includes("_")) plain = false;
  if (plain) return object;
  return Object.fromEntries(
    Object.entries(object).map((
      [name, value],
    ) => [name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase()), value]),
  );
}

/** An object with its members in camel case, or undefined for anything else. */
export function camelOf(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? camel(value) : undefined;
}

/** The written members over those of the original that are not `known`. */
export function restore(
  written: JsonObject,
  original: JsonObject | undefined,
  known: ReadonlySet<string>,
): Record<string, Json> {
  return original ? { ...without(original, known), ...compact(written) } : compact(written);
}

/** Names one member of a JSON pointer's path. */
export function pointer(...steps: readonly (string | number)[]): string {
  return steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(
    "",
  );
}
