import { expect, test } from "vitest";
import type * as schemas from "@vmx/schemas";
import type { CacheMark, Call } from "./call.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Part, StreamPart, Tokens } from "./part.ts";
import type { Warning } from "./warning.ts";

/*
 * The schemas of `@vmx/schemas` and the interfaces here say the same twice. Where they part, `tsc` refuses this file.
 */

/** Free JSON by a name, so that the types below end at it. */
type Leaf<Value> = [Json] extends [Value] ? "json" | Extract<Value, undefined>
  : string extends keyof NonNullable<Value>
    ? [JsonObject] extends [Value] ? "json object" | Extract<Value, undefined> : never
  : never;

/** The same shape with every member read-only. */
type Frozen<Value> = [Leaf<Value>] extends [never] ? FrozenMembers<Value> : Leaf<Value>;
type FrozenMembers<Value> = { readonly [Key in keyof Value]: Frozen<Value[Key]> };

/** As `Frozen`, with no member optional: one that only one side has is then missed on the other. */
type Complete<Value> = [Leaf<Value>] extends [never] ? CompleteMembers<Value> : Leaf<Value>;
type CompleteMembers<Value> = { readonly [Key in keyof Value]-?: Complete<Value[Key]> };

type Fits<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Whether two types admit the same values under the same members, read-only or not. */
type Same<A, B> = Fits<Frozen<A>, Frozen<B>> extends true ? Fits<Complete<A>, Complete<B>> : false;

test("every schema and its interface admit the same values", () => {
  const same: {
    call: Same<schemas.Call, Call>;
    part: Same<schemas.Part, Part>;
    streamPart: Same<schemas.StreamPart, StreamPart>;
    tokens: Same<schemas.Tokens, Tokens>;
    warning: Same<schemas.Warning, Warning>;
  } = { call: true, part: true, streamPart: true, tokens: true, warning: true };
  expect(Object.values(same)).not.toContain(false);
});

test("a member more, a member less, another type or another optionality is told apart", () => {
  const told: {
    more: Same<Call & { readonly more?: string }, Call>;
    less: Same<Omit<Tokens, "promptTotal">, Tokens>;
    other: Same<Omit<Warning, "detail"> & { readonly detail?: number }, Warning>;
    required: Same<Required<Warning>, Warning>;
    deep: Same<Omit<Call, "sampling"> & { readonly sampling: { readonly topP?: number } }, Call>;
    free: Same<Omit<Call, "metadata"> & { readonly metadata?: { readonly a?: string } }, Call>;
    mark: Same<Cached<{ readonly ttl?: number }>, Cached<CacheMark>>;
    variant: Same<Exclude<Part, { type: "error" }>, Part>;
  } = {
    more: false,
    less: false,
    other: false,
    required: false,
    deep: false,
    free: false,
    mark: false,
    variant: false,
  };
  expect(Object.values(told)).not.toContain(true);
});

interface Cached<Mark> {
  readonly cache?: Mark;
}
