import { type Flag, type Flags, type Input, UsageError } from "./command.ts";
import { kebab, type Operation } from "./entities.ts";
import { choicesOf } from "./object-body.ts";

/** Options for the query of an operation. Pages are the command's business, not the caller's. */
export function flagsOfQuery(operation: Operation): Flags {
  const flags: Record<string, Flag> = {};
  for (const [name, schema] of Object.entries(operation.query)) {
    if (name === "cursor" || name === "name") continue;
    const choices = choicesOf(schema);
    const description = schema.description ?? `filters by ${name}`;
    flags[kebab(name)] = name === "limit"
      ? {
        type: "string",
        value: "NUMBER|all",
        description: "how many to read at most; 50 when absent",
      }
      : schema.type === "boolean"
      ? { type: "boolean", description }
      : {
        type: "string",
        value: choices.length > 0 ? choices.join("|") : "TEXT",
        multiple: schema.type === "array",
        ...(choices.length > 0 ? { choices } : {}),
        description,
      };
  }
  return flags;
}

/** The query that the options ask for. */
export function readQuery(input: Input, operation: Operation): Record<string, unknown> | undefined {
  const query: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(operation.query)) {
    if (name === "limit" || name === "cursor") continue;
    const flag = kebab(name);
    const many = input.texts(flag);
    if (schema.type === "boolean") {
      if (input.flag(flag) !== undefined) query[name] = input.flag(flag);
    } else if (many.length > 0) query[name] = schema.type === "array" ? many : many.at(-1);
    if (schema.needed && query[name] === undefined) throw new UsageError(`--${flag} is needed`);
  }
  return Object.keys(query).length > 0 ? query : undefined;
}

/** How many objects a list may bring; lists that cannot grow come whole. */
export function readLimit({ text }: Pick<Input, "text">, operation: Operation): number {
  if (!("limit" in operation.query)) return Infinity;
  const given = text("limit");
  if (given === undefined) return 50;
  if (given === "all") return Infinity;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new UsageError(`--limit takes a number from 1, or all, not "${given}"`);
}
