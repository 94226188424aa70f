import { parseArgs } from "node:util";
import { nearest } from "../kit/nearest.ts";
import { type Flags, UsageError } from "./command.ts";

/** A command line, taken apart. */
export interface Arguments {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, readonly string[] | boolean | undefined>>;
}

/**
 * Takes a command line apart by the options that are known.
 *
 * Throws a UsageError for an unknown option, a missing value, or one that is not among the choices.
 */
export function readArguments(args: readonly string[], flags: Flags): Arguments {
  const { tokens } = parse(args, flags);
  const values: Record<string, string[] | boolean> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    const negated = /^no-(.+)$/.exec(name)?.[1];
    if (!flag && negated !== undefined && flags[negated]?.type === "boolean") {
      values[negated] = false;
      continue;
    }
    if (!flag) throw unknownFlag(rawName, flags);
    if (flag.type === "boolean") {
      if (value !== undefined) throw new UsageError(`--${name} takes no value`);
      values[name] = !rawName.startsWith("--no-");
      continue;
    }
    if (value === undefined) throw new UsageError(`--${name} needs a value: ${flag.value}`);
    if (flag.choices && value !== "null" && !flag.choices.includes(value)) {
      throw new UsageError(
        `--${name} must be one of ${flag.choices.join(", ")}, not "${value}"`,
      );
    }
    const before = values[name];
    values[name] = Array.isArray(before) ? [...before, value] : [value];
  }
  return { positionals, values };
}

/** The words that are no options, as far as the known options tell. */
export function operandsAmong(args: readonly string[], flags: Flags): readonly string[] {
  return parse(args, flags).positionals;
}

function parse(args: readonly string[], flags: Flags) {
  return parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { type, short }]) => [
        name,
        { type, multiple: true, ...(short === undefined ? {} : { short }) },
      ]),
    ),
    allowPositionals: true,
    allowNegative: true,
    strict: false,
    tokens: true,
  });
}

function unknownFlag(rawName: string, flags: Flags): UsageError {
  const meant = nearest(rawName.replace(/^-+/, ""), Object.keys(flags));
  return new UsageError(
    `There is no option ${rawName}` + (meant === undefined ? "" : `; did you mean --${meant}?`),
  );
}
