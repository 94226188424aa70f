import type { Json, JsonObject, Native } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";

/** The dialect's id, as it stands in natives and calls. */
export const dialectId = "openai-chat";

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

const emptyList: readonly never[] = [];

/** An array, or an empty one for anything else. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value as readonly Json[] : emptyList;
}

/** The objects of an array; none for anything else. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : emptyList;
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

/**
 * Adds what the canonical form has no place for: members of the original spelling that are not `known`, and
 * known ones that were spelled out as null.
 */
export function restore(
  written: JsonObject,
  original: JsonObject | undefined,
  known: ReadonlySet<string>,
): Record<string, Json> {
  const out = compact(written);
  if (!original) return out;
  for (const [name, value] of Object.entries(original)) {
    if (value === undefined || Object.hasOwn(out, name)) continue;
    if (!known.has(name) || value === null) out[name] = value;
  }
  return out;
}

/** Names one member of a JSON pointer's path. */
export function pointer(...steps: readonly (string | number)[]): string {
  return steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(
    "",
  );
}
