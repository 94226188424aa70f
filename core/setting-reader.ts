import { Secret } from "./kit/secret.ts";
import { StartError } from "./start-error.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a text must look like, and how it becomes a value. */
export interface Rule<Value> {
  /** Ends the sentence "… must be …". */
  readonly words: string;
  readonly example: string;
  /** Undefined when the text breaks the rule. */
  parse(text: string): Value | undefined;
}

/** Reads settings from environment variables and remembers every fault. */
export interface SettingReader {
  /** The value, or undefined when the variable is unset or empty. A wrong value is remembered as a fault. */
  optional<Value>(name: string, rule: Rule<Value>): Value | undefined;
  /** The value, or `otherwise`. */
  required<Value>(name: string, rule: Rule<Value>, otherwise: Value): Value;
  /** As `optional`, for values that must never be shown. */
  secret(name: string, rule: Rule<string>): Secret | undefined;
  /** Names asked for so far. */
  names(): readonly string[];
  /** Throws a StartError that tells all faults at once, if there are any. */
  finish(): void;
}

/** Makes a reader of one environment. An empty variable counts as unset: compose files pass those. */
export function createSettingReader(environment: Environment): SettingReader {
  const faults: string[] = [];
  const names: string[] = [];

  function read<Value>(name: string, rule: Rule<Value>, shown: boolean): Value | undefined {
    names.push(name);
    const text = environment[name]?.trim();
    if (text === undefined || text === "") return undefined;
    const value = rule.parse(text);
    if (value === undefined) {
      const given = shown ? `${name} is "${text}" but` : name;
      faults.push(`${given} must be ${rule.words}, for example ${name}=${rule.example}`);
    }
    return value;
  }

  return {
    optional: (name, rule) => read(name, rule, true),
    required: (name, rule, otherwise) => read(name, rule, true) ?? otherwise,
    secret(name, rule) {
      const value = read(name, rule, false);
      return value === undefined ? undefined : new Secret(value);
    },
    names: () => names,
    finish() {
      if (faults.length > 0) throw new StartError(`Cannot start: ${faults.join("; ")}`);
    },
  };
}

/** A whole number within bounds. */
export function integer(min: number, max: number, example: number): Rule<number> {
  return {
    words: `a whole number from ${min} to ${max}`,
    example: String(example),
    parse(text) {
      const value = Number(text);
      return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined;
    },
  };
}

/** One of several words. */
export function choice<const Word extends string>(...words: Word[]): Rule<Word> {
  return {
    words: words.length === 2 ? words.join(" or ") : `one of ${words.join(", ")}`,
    example: words[0] ?? "",
    parse: (text) => words.find((word) => word === text.toLowerCase()),
  };
}

/** `true` or `false`. */
export const flag: Rule<boolean> = {
  words: "true or false",
  example: "true",
  parse: (text) => ({ true: true, false: false })[text.toLowerCase()],
};

/** Text that matches a pattern. */
export function text(words: string, example: string, pattern = /^/): Rule<string> {
  return { words, example, parse: (value) => pattern.test(value) ? value : undefined };
}

/** A URL of one of the given schemes, such as `https:`. */
export function url(words: string, example: string, schemes: readonly string[]): Rule<string> {
  return {
    words,
    example,
    parse(value) {
      const parsed = URL.parse(value);
      return parsed && schemes.includes(parsed.protocol) ? value : undefined;
    },
  };
}

/** A comma list. */
export function list(rule: Rule<string>): Rule<readonly string[]> {
  return {
    words: `a comma list, each ${rule.words}`,
    example: rule.example,
    parse(value) {
      const items = value.split(",").map((item) => item.trim()).filter(Boolean);
      const parsed = items.map((item) => rule.parse(item)).filter((item) => item !== undefined);
      return parsed.length === items.length ? parsed : undefined;
    },
  };
}
