import type { Faults, Place } from "./faults.ts";

/** An object whose members are read one by one; what is of the wrong type is a fault and counts as absent. */
export interface Members {
  /** The names of the members that have a value. */
  has(name: string): boolean;
  raw(name: string): unknown;
  text(name: string, maxLength: number): string | undefined;
  flag(name: string): boolean | undefined;
  /** One of the words, written in any case. */
  word<Word extends string>(name: string, words: readonly Word[]): Word | undefined;
  list(name: string): readonly unknown[] | undefined;
  /** Refuses members that are not among the names. */
  only(names: readonly string[]): void;
}

/** Reads an object; undefined, with a fault, when the value is none. */
export function readMembers(value: unknown, place: Place, faults: Faults): Members | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    faults.add(place, "must be an object");
    return undefined;
  }
  const raw = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] ?? undefined : undefined;
  const fault = (name: string, message: string): undefined => {
    faults.add([...place, name], message);
  };
  return {
    raw,
    has: (name) => raw(name) !== undefined,
    text(name, maxLength) {
      const text = raw(name);
      if (text === undefined) return undefined;
      if (typeof text !== "string") return fault(name, "must be a text");
      if (text.length <= maxLength) return text;
      return fault(name, `has ${text.length} characters; at most ${maxLength} are allowed`);
    },
    flag(name) {
      const flag = raw(name);
      if (flag === undefined || typeof flag === "boolean") return flag;
      return fault(name, "must be true or false");
    },
    word(name, words) {
      const text = raw(name);
      if (text === undefined) return undefined;
      const found = words.find((word) =>
        typeof text === "string" && word.toLowerCase() === text.toLowerCase()
      );
      return found ?? fault(name, `must be one of ${words.join(", ")}`);
    },
    list(name) {
      const list = raw(name);
      if (list === undefined || Array.isArray(list)) return list;
      return fault(name, "must be a list");
    },
    only(names) {
      for (const name of Object.keys(value)) {
        if (!names.includes(name)) fault(name, "is not known here");
      }
    },
  };
}
