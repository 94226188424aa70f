import type { Json } from "@vmx/core/contract";
import { plainCopy } from "@vmx/core/kit";

/** How the right side of a condition is written. */
export type ValueType =
  | "string"
  | "number"
  | "boolean"
  | "comma-delimited-list"
  | "json-object"
  | "json-array";

/** The right side of a condition, read once. */
export interface Operand {
  readonly type: ValueType;
  /** As it is written. */
  readonly text: string;
  /** As a value of its type. */
  readonly value: Json;
}

/**
 * Reads the right side of a condition; undefined when there is none.
 *
 * Throws an Error that tells what the text should be.
 */
export function readOperand(type: ValueType, text: string | undefined): Operand | undefined {
  return text === undefined ? undefined : { type, text, value: readers[type](text) };
}

const readers: Readonly<Record<ValueType, (text: string) => Json>> = {
  string: (text) => text,
  number(text) {
    const value = toNumber(text);
    if (value === undefined) throw new Error(`"${shown(text)}" is not a number`);
    return value;
  },
  boolean(text) {
    const value = toBoolean(text);
    if (value === undefined) throw new Error(`"${shown(text)}" is neither true nor false`);
    return value;
  },
  "comma-delimited-list": (text) => Object.freeze(splitList(text)),
  "json-object"(text) {
    const value = parseJson(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    throw new Error(`"${shown(text)}" is not a JSON object`);
  },
  "json-array"(text) {
    const value = parseJson(text);
    if (Array.isArray(value)) return value;
    throw new Error(`"${shown(text)}" is not a JSON array`);
  },
};

/** A number, or a text of one. */
export function toNumber(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** A boolean, or a text of one. */
export function toBoolean(value: Json | undefined): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const text = value.trim().toLowerCase();
  return text === "true" ? true : text === "false" ? false : undefined;
}

/** A text, or a number or boolean as text. */
export function toText(value: Json | undefined): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** The items of a comma list, trimmed, without empty ones. */
export function splitList(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

function parseJson(text: string): Json | undefined {
  try {
    return plainCopy(JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
