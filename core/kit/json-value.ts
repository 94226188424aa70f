import type { Json, JsonObject } from "../contract/json.ts";

/**
 * Names that lead out of plain data on ordinary objects. Nothing that reads data by a name somebody else wrote
 * may follow them.
 */
export const unreachableNames: ReadonlySet<string> = new Set([
  "__proto__",
  "prototype",
  "constructor",
  "then",
  "toString",
  "toLocaleString",
  "valueOf",
  "hasOwnProperty",
  "isPrototypeOf",
  "propertyIsEnumerable",
  "__defineGetter__",
  "__defineSetter__",
  "__lookupGetter__",
  "__lookupSetter__",
]);

/**
 * Reads a member of plain JSON by name: own members of objects only, of a list its first element's, and the
 * `length` of texts and lists. Undefined for everything else, so that a path never throws.
 */
export function readMember(value: Json | undefined, name: string): Json | undefined {
  if (name === "length" && (typeof value === "string" || Array.isArray(value))) return value.length;
  const subject = Array.isArray(value) ? (value as readonly Json[])[0] : value;
  if (typeof subject !== "object" || subject === null || Array.isArray(subject)) return undefined;
  if (!Object.hasOwn(subject, name) || unreachableNames.has(name)) return undefined;
  return (subject as JsonObject)[name];
}

/**
 * A deep copy of plain JSON that is frozen and has no prototypes; members with unreachable names are left out.
 *
 * @param visit told of every object and list copied, with the number of its members; it may throw to stop
 */
export function plainCopy(value: Json, visit: (members: number) => void = () => {}): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    visit(value.length);
    return Object.freeze((value as readonly Json[]).map((item) => plainCopy(item, visit)));
  }
  const copy: Record<string, Json> = Object.create(null);
  const names = Object.keys(value);
  visit(names.length);
  for (const name of names) {
    const member = (value as JsonObject)[name];
    if (member !== undefined && !unreachableNames.has(name)) copy[name] = plainCopy(member, visit);
  }
  return Object.freeze(copy);
}

/** Whether two JSON values are equal all the way down; the order of members does not count. */
export function equalJson(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return false;
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return (one as readonly Json[]).every((item, index) => equalJson(item, other[index]));
  }
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) =>
    Object.hasOwn(other, name) &&
    equalJson((one as JsonObject)[name], (other as JsonObject)[name])
  );
}

/** Orders texts by code point: negative, zero or positive. */
export function compareText(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const left = one.charCodeAt(at);
    const right = other.charCodeAt(at);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return one.length - other.length;
}

/** Surrogates stand for code points above all others, yet their units lie below U+E000. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
