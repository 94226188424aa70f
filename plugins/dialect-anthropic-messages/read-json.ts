import type { Json, JsonObject, Native } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";

/** The dialect's id, as it stands in natives and calls. */
export const dialectId = "anthropic-messages";

/** The family whose reasoning signatures stand in the dialect's own blocks unmarked. */
export const ownFamily = "anthropic";

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

/** The objects of an array. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return listOf(value).filter(isObject);
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

/** A copy without the members named. */
export function without(object: JsonObject, names: ReadonlySet<string>): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(object)) {
    if (value !== undefined && !names.has(name)) out[name] = value;
  }
  return out;
}

/** A copy without members that are undefined, typed so that they may be absent. */
export function present<Members extends object>(members: Members): Present<Members> {
  // Only undefined members go, which is what the type says.
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Present<Members>;
}

/** See `present`. */
export type Present<Members> =
  & {
    [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name];
  }
  & {
    [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<
      Members[Name],
      undefined
    >;
  };

/** Names one member of a JSON pointer's path. */
export function pointer(...steps: readonly (string | number)[]): string {
  return steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(
    "",
  );
}
