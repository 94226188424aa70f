import type { Json, JsonObject, Native } from "@vmx/core/contract";
import { objectOf } from "@vmx/dialect-openai-chat/read-json";

/** The dialect's id, as it stands in natives and calls. */
export const dialectId = "openai-responses";

/** Wraps an original spelling. */
export function native(value: Json): Native {
  return { dialect: dialectId, value };
}

/** The original spelling, when it is of this dialect and an object. */
export function ownNative(from: { readonly native?: Native }): JsonObject | undefined {
  return from.native?.dialect === dialectId ? objectOf(from.native.value) : undefined;
}

/** A copy without the named members. */
export function omit(object: JsonObject, ...names: readonly string[]): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(object)) {
    if (value !== undefined && !names.includes(name)) out[name] = value;
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

type Present<Members> =
  & {
    [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<
      Members[Name],
      undefined
    >;
  }
  & {
    [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name];
  };
