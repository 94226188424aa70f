import Type from "typebox";

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonMembers;

/** The members of a JSON object; one set to `undefined` counts as absent. */
export interface JsonMembers {
  readonly [name: string]: JsonValue | undefined;
}

/** Any JSON value, not looked into. */
export const JsonValue = Type.Unsafe<JsonValue>({});

/** Any JSON object, not looked into. */
export const JsonMembers = Type.Unsafe<JsonMembers>({ type: "object" });
