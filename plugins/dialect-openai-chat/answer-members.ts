import type {
  AnswerContext,
  Json,
  JsonObject,
  Part,
  StartPart,
  UsagePart,
} from "@vmx/core/contract";
import { isLegacy } from "./encode-tools.ts";
import { compact, dialectId, native, numberOf, objectOf, ownNative, textOf } from "./read-json.ts";
import { readTokens, writeTokens } from "./tokens.ts";

/** Members of an answer or chunk that have a place in the start part or in parts of their own. */
const known = new Set([
  "id",
  "object",
  "created",
  "model",
  "choices",
  "usage",
  "service_tier",
  "system_fingerprint",
  // Padding against guessing texts by their lengths.
  "obfuscation",
]);

/** Members of an answer or chunk the canonical answer has no place for. */
export function readExtras(body: JsonObject): Readonly<Record<string, Json>> {
  let extras: Record<string, Json> | undefined;
  for (const name in body) {
    const value = body[name];
    if (!known.has(name) && value !== undefined) (extras ??= {})[name] = value;
  }
  return extras ?? noExtras;
}

/** What is answered when there are none. */
export const noExtras: Readonly<Record<string, Json>> = {};

/** Reads the members that describe an answer as a whole. */
export function readStart(body: JsonObject, extras: JsonObject): StartPart {
  const spelledNull: Record<string, Json> = {};
  for (const name of ["service_tier", "system_fingerprint"]) {
    if (body[name] === null) spelledNull[name] = null;
  }
  return compactPart({
    type: "start",
    id: textOf(body["id"]) || undefined,
    model: textOf(body["model"]) || undefined,
    created: numberOf(body["created"]),
    serviceTier: textOf(body["service_tier"]),
    systemFingerprint: textOf(body["system_fingerprint"]),
    extras: Object.keys(extras).length === 0 ? undefined : extras,
    native: Object.keys(spelledNull).length === 0 ? undefined : native(spelledNull),
  });
}

/** Writes the members that describe an answer as a whole, without its choices. */
export function writeStart(
  start: StartPart | undefined,
  object: string,
  context: AnswerContext,
): Record<string, Json> {
  return compact({
    ...start?.extras,
    ...(start && ownNative(start)),
    id: start?.id ?? `chatcmpl-${context.requestId}`,
    object,
    created: start?.created ?? context.now,
    model: start?.model ?? context.model,
    ...compact({
      service_tier: start?.serviceTier,
      system_fingerprint: start?.systemFingerprint,
    }),
  });
}

/** Reads a `usage` object, which is kept as it stands for answers of this dialect. */
export function readUsage(usage: JsonObject): UsagePart {
  return { type: "usage", tokens: readTokens(usage), native: native(usage) };
}

/** Writes usage: as the provider spelled it where it speaks this dialect. */
export function writeUsage(usage: UsagePart): JsonObject {
  const own = usage.native?.dialect === dialectId ? objectOf(usage.native.value) : undefined;
  return own ?? writeTokens(usage.tokens, "chat");
}

/** Whether the caller asked with the legacy `functions` and so expects `function_call`. */
export function expectsFunctionCall(context: AnswerContext): boolean {
  return context.call?.tools.some(isLegacy) ?? false;
}

/** A part without the members that are undefined. */
export function compactPart<Kind extends Part>(part: Loose<Kind>): Kind {
  // Only undefined members go; the part's type allows each of them to be absent.
  return Object.fromEntries(
    Object.entries(part).filter(([, value]) => value !== undefined),
  ) as unknown as Kind;
}

type Loose<Kind> = { readonly [Name in keyof Kind]: Kind[Name] | undefined };
