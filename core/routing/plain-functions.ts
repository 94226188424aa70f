import { createHash } from "node:crypto";
import type { Json } from "../contract/json.ts";
import { compilePattern, equalJson, type Pattern } from "../kit/index.ts";

type Value = Json | undefined;

/** A function of rules that depends on its arguments alone. */
export type PlainFunction = (args: readonly Value[]) => Value;

/** Functions of rules that read no live values, by name. */
export const plainFunctions: Readonly<Record<string, PlainFunction>> = {
  matches([subject, source]) {
    const text = textOf(subject);
    return text !== undefined && patternOf(textOf(source) ?? "").test(text);
  },
  contains([subject, part]) {
    if (Array.isArray(subject)) return subject.some((item) => equalJson(item, part));
    const [text, wanted] = [textOf(subject), textOf(part)];
    return text !== undefined && wanted !== undefined && text.includes(wanted);
  },
  startsWith([subject, part]) {
    const [text, wanted] = [textOf(subject), textOf(part)];
    return text !== undefined && wanted !== undefined && text.startsWith(wanted);
  },
  endsWith([subject, part]) {
    const [text, wanted] = [textOf(subject), textOf(part)];
    return text !== undefined && wanted !== undefined && text.endsWith(wanted);
  },
  lower: ([subject]) => textOf(subject)?.toLowerCase(),
  upper: ([subject]) => textOf(subject)?.toUpperCase(),
  length([subject]) {
    if (Array.isArray(subject)) return subject.length;
    if (typeof subject === "object" && subject !== null) return Object.keys(subject).length;
    return textOf(subject)?.length;
  },
  number([subject]) {
    if (typeof subject === "boolean") return Number(subject);
    const text = textOf(subject)?.trim();
    const number = text ? Number(text) : NaN;
    return Number.isFinite(number) ? number : undefined;
  },
  hash([subject, buckets]) {
    const text = textOf(subject);
    if (text === undefined) return undefined;
    if (typeof buckets !== "number" || !Number.isInteger(buckets) || buckets < 1) {
      throw new RangeError("hash takes a whole number of buckets, at least 1");
    }
    // 48 bits of SHA-256: the same in every process and version, and even for up to a billion buckets.
    return createHash("sha256").update(text).digest().readUIntBE(0, 6) % buckets;
  },
};

/** Steps a call costs besides its own: one for every 16 KiB of text it may look through. */
export function stepsOf(args: readonly Value[]): number {
  let length = 0;
  for (const arg of args) if (typeof arg === "string") length += arg.length;
  return length >> 14;
}

function textOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

const mostPatterns = 100;
const patterns = new Map<string, Pattern>();

function patternOf(source: string): Pattern {
  const known = patterns.get(source);
  if (known) return known;
  const pattern = compilePattern(source);
  if (patterns.size >= mostPatterns) patterns.delete(patterns.keys().next().value!);
  patterns.set(source, pattern);
  return pattern;
}
