import type { Json, JsonObject } from "../contract/json.ts";
import { GatewayError } from "../contract/errors.ts";

/** A member of a JSON object, by its place in the text. */
export interface Member {
  readonly name: string;
  /** Where its name's opening quote stands. */
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** A JSON object found in a text. */
export interface ObjectSpan {
  /** Where its opening brace stands. */
  readonly start: number;
  /** Behind its closing brace. */
  readonly end: number;
  readonly members: readonly Member[];
}

/** Bounds for texts from strangers. */
export interface ScanLimits {
  readonly maxDepth: number;
  readonly maxKeys: number;
}

/**
 * Finds the members of the object at `from`. The text must have been through `JSON.parse`: this reads on the
 * trust that it is valid.
 *
 * Throws `invalid_request` when the limits are passed.
 */
export function scanObject(text: string, from = 0, limits?: ScanLimits): ObjectSpan {
  let at = skipSpace(text, from);
  const start = at++;
  const members: Member[] = [];
  const count = { keys: 0 };
  for (;;) {
    at = skipSpace(text, at);
    const code = text.charCodeAt(at);
    if (code === CLOSE_BRACE) return { start, end: at + 1, members };
    if (code === COMMA) {
      at++;
      continue;
    }
    const nameStart = at;
    at = skipString(text, at);
    const raw = text.slice(nameStart + 1, at - 1);
    const name = raw.includes("\\") ? JSON.parse(`"${raw}"`) as string : raw;
    at = skipSpace(text, at) + 1;
    const valueStart = skipSpace(text, at);
    count.keys++;
    at = skipValue(text, valueStart, limits, count);
    if (limits && count.keys > limits.maxKeys) refuse(`${limits.maxKeys} keys`);
    members.push({ name, start: nameStart, valueStart, valueEnd: at });
  }
}

/** The first name that stands twice, compared after unescaping; undefined when none does. */
export function duplicateMember(span: ObjectSpan): string | undefined {
  const seen = new Set<string>();
  for (const { name } of span.members) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** Edits of a JSON object's text. Applied in this order: `under`, `remove`, `set`, `over`. */
export interface ObjectEdits {
  /** Merged under the object: fills in what is absent, objects deeply. */
  readonly under?: JsonObject | null;
  /** Members taken out. */
  readonly remove?: readonly string[];
  /** Members replaced whole or added. */
  readonly set?: JsonObject;
  /** Merged over the object: objects deeply, everything else replaced. */
  readonly over?: JsonObject | null;
}

/**
 * Applies edits to the text of a JSON object and leaves every other byte as it is: order, spacing, number
 * spelling and unknown members survive.
 */
export function editObject(text: string, edits: ObjectEdits, span = scanObject(text)): string {
  const patches: Patch[] = [];
  collect(text, span, edits, patches);
  if (patches.length === 0) return text;
  patches.sort((a, b) => a.start - b.start || a.end - b.end);
  let out = "";
  let at = 0;
  for (const patch of patches) {
    out += text.slice(at, patch.start) + patch.text;
    at = patch.end;
  }
  return out + text.slice(at);
}

/** Adds a last member to the text of a JSON object. */
export function appendMember(text: string, name: string, valueText: string): string {
  const close = text.lastIndexOf("}");
  let before = close - 1;
  while (before >= 0 && isSpace(text.charCodeAt(before))) before--;
  const comma = text.charCodeAt(before) === OPEN_BRACE ? "" : ",";
  return `${text.slice(0, before + 1)}${comma}${JSON.stringify(name)}:${valueText}${
    text.slice(before + 1)
  }`;
}

/** Merges JSON objects deeply, the later over the earlier; arrays and scalars are replaced, `null` is kept. */
export function mergeObjects(...layers: readonly (JsonObject | null | undefined)[]): JsonObject {
  const merged: Record<string, Json | undefined> = {};
  for (const layer of layers) {
    if (!layer) continue;
    for (const [name, value] of Object.entries(layer)) {
      if (forbiddenNames.has(name)) continue;
      const below = merged[name];
      merged[name] = isObject(value) ? mergeObjects(isObject(below) ? below : null, value) : value;
    }
  }
  return merged;
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names that could reach a prototype; merges drop them at every depth. */
export const forbiddenNames: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
]);

interface Patch {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function collect(text: string, span: ObjectSpan, edits: ObjectEdits, patches: Patch[]): void {
  const { members } = span;
  const set = edits.set ?? {};
  const over = edits.over ?? {};
  const under = edits.under ?? {};
  const removed = new Set(edits.remove);
  const added = new Map<string, string>();
  const present = new Set<string>();
  let lastKept = -1;
  members.forEach((member, index) => {
    if (!removed.has(member.name)) lastKept = index;
  });

  members.forEach((member, index) => {
    const { name } = member;
    if (removed.has(name)) {
      const previous = members[index - 1];
      const next = members[index + 1];
      if (index < lastKept && next) {
        patches.push({ start: member.start, end: next.start, text: "" });
      } else {
        const start = previous ? previous.valueEnd : member.start;
        patches.push({ start, end: member.valueEnd, text: "" });
      }
      return;
    }
    present.add(name);
    const replace = (value: Json) =>
      patches.push({ start: member.valueStart, end: member.valueEnd, text: JSON.stringify(value) });
    const base = own(set, name);
    const top = own(over, name);
    if (base !== undefined || (top !== undefined && !isObject(top))) {
      replace(
        (top === undefined
          ? base
          : isObject(top) && isObject(base)
          ? mergeObjects(base, top)
          : top)!,
      );
      return;
    }
    const bottom = own(under, name);
    if (top === undefined && !isObject(bottom)) return;
    if (text.charCodeAt(member.valueStart) !== OPEN_BRACE) {
      if (top !== undefined) replace(top);
      return;
    }
    collect(text, scanObject(text, member.valueStart), {
      under: isObject(bottom) ? bottom : null,
      over: isObject(top) ? top : null,
    }, patches);
  });

  const whole = mergeObjects({ ...without(under, removed), ...set });
  for (const [name, value] of Object.entries(mergeObjects(whole, over))) {
    if (value !== undefined && !present.has(name)) added.set(name, JSON.stringify(value));
  }
  if (added.size === 0) return;
  const at = lastKept >= 0 ? members[lastKept]!.valueEnd : span.start + 1;
  const list = [...added].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",");
  patches.push({ start: at, end: at, text: lastKept >= 0 ? `,${list}` : list });
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) && !forbiddenNames.has(name) ? object[name] : undefined;
}

function without(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  if (names.size === 0) return object;
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const COLON = 58;

function skipValue(
  text: string,
  from: number,
  limits: ScanLimits | undefined,
  count: { keys: number },
): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return skipString(text, from);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let at = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)) break;
    }
    return at;
  }
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = skipString(text, at) - 1;
    else if (code === COLON) count.keys++;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      // The object the value stands in is level one.
      if (limits && ++depth + 1 > limits.maxDepth) refuse(`depth ${limits.maxDepth}`);
      else if (!limits) depth++;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (limits && count.keys > limits.maxKeys) refuse(`${limits.maxKeys} keys`);
      if (--depth === 0) return at + 1;
    }
  }
  return text.length;
}

function refuse(limit: string): never {
  throw new GatewayError("invalid_request", `Cannot read the body: its JSON exceeds ${limit}`);
}

/** Answers the place behind the closing quote of the string that opens at `from`. */
function skipString(text: string, from: number): number {
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let slash = quote - 1;
    while (text.charCodeAt(slash) === BACKSLASH) slash--;
    if ((quote - slash) % 2 === 1) return quote + 1;
    at = quote + 1;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
