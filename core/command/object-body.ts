import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { secretPaths } from "../host/configuration-schema.ts";
import { CommandError, type Flag, type Flags, type Input, UsageError } from "./command.ts";
import { kebab, type Operation, resolveSchema, type Schema } from "./entities.ts";
import { memberSecretFlags, readMemberSecrets } from "./secret-sources.ts";

/** Any JSON object. */
export type Body = Record<string, unknown>;

/** Options that every body takes. */
const bodyFlags: Flags = {
  file: {
    type: "string",
    short: "f",
    value: "FILE",
    description: "reads the object from a YAML or JSON file; - is standard input",
  },
  set: {
    type: "string",
    multiple: true,
    value: "FIELD=VALUE",
    description:
      "sets a field by its path, such as config.baseUrl=…; the value is JSON, or else text",
  },
  ...memberSecretFlags,
};

/** Options for the body of an operation: one for each of its members, and those every body takes. */
export function flagsOfBody(operation: Operation): Flags {
  const flags: Record<string, Flag> = {};
  for (const [member, schema] of Object.entries(membersOf(operation))) {
    // Secrets have options of their own.
    if (schema.writeOnly) continue;
    flags[kebab(member)] = {
      ...shapeOf(schema),
      description: schema.description ?? `sets ${member}`,
    };
  }
  return { ...flags, ...bodyFlags };
}

/** Members of the body of an operation. */
export function membersOf(operation: Operation): Readonly<Record<string, Schema>> {
  const { properties = {} } = operation.body ? resolveSchema(operation.body) : {};
  return Object.fromEntries(
    Object.entries(properties).map(([member, schema]) => [
      member,
      { ...resolveSchema(schema), ...schema.writeOnly ? { writeOnly: true } : {} },
    ]),
  );
}

function shapeOf(schema: Schema): Pick<Flag, "type" | "value" | "multiple" | "choices"> {
  const choices = choicesOf(schema);
  if (choices.length > 0) {
    return { type: "string", value: choices.join("|"), choices };
  }
  if (schema.type === "boolean") return { type: "boolean" };
  if (schema.type === "array") {
    const scalar = schema.items && resolveSchema(schema.items).type !== "object";
    return scalar
      ? { type: "string", multiple: true, value: "TEXT" }
      : { type: "string", value: "YAML" };
  }
  const numeric = schema.type === "integer" || schema.type === "number";
  const scalar = numeric || schema.type === "string";
  return { type: "string", value: numeric ? "NUMBER" : scalar ? "TEXT" : "YAML" };
}

/** The words a schema allows. */
export function choicesOf(schema: Schema): string[] {
  const values = schema.enum ??
    (schema.anyOf ?? []).flatMap(({ const: value }) => value === undefined ? [] : [value]);
  return values.filter((value) => typeof value === "string");
}

/** What the command line says about an object. */
export interface GivenBody {
  readonly body: Body;
  /** Paths whose values stood on the command line. */
  readonly visible: readonly string[];
  /** Paths whose values are secrets. */
  readonly secret: readonly string[];
}

/** Puts a body together: the file first, then options, then `--set`, then secrets. */
export async function readBody(input: Input, operation: Operation): Promise<GivenBody> {
  const body = await readObjectFile(input, input.text("file")) ?? {};
  const visible: string[] = [];
  for (const [member, schema] of Object.entries(membersOf(operation))) {
    const name = kebab(member);
    const value = schema.writeOnly ? undefined : valueOf(input, name, schema);
    if (value === undefined) continue;
    body[member] = value;
    visible.push(...pathsWithin(member, value));
  }
  for (const text of input.texts("set")) {
    const [, path, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (path === undefined || value === undefined) {
      throw new UsageError("--set takes FIELD=VALUE, such as config.baseUrl=https://example.com");
    }
    setAt(body, path, jsonOrText(value));
    visible.push(path);
  }
  const writeOnly = Object.entries(membersOf(operation))
    .flatMap(([member, schema]) => schema.writeOnly ? [member] : []);
  refuseVisible(visible.filter((path) => writeOnly.includes(path)));
  const secret = [...writeOnly];
  for (const [path, value] of await readMemberSecrets(input)) {
    const place = secretPath(operation, path);
    setAt(body, place, value);
    secret.push(place);
  }
  return { body, visible, secret };
}

/** Reads an object from a file, or from standard input when it is called `-`. */
export async function readObjectFile(
  { terminal }: Pick<Input, "terminal">,
  file: string | undefined,
): Promise<Body | undefined> {
  if (file === undefined) return undefined;
  const text = file === "-"
    ? await terminal.readInput()
    : await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new CommandError(`Cannot read ${file}: ${error.code}`, 2);
    });
  const value = parseYaml(text, file);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  throw new CommandError(`Cannot read ${file}: it holds no object`, 6);
}

/**
 * Refuses secrets of a provider's configuration that stood on the command line.
 *
 * @param schema the provider's configuration schema
 */
export function refuseVisibleSecrets(
  schema: Readonly<Record<string, unknown>>,
  { body, visible }: GivenBody,
): void {
  const secrets = secretPaths(schema, (body["config"] ?? {}) as Record<string, unknown>)
    .map((path) => `config.${path}`);
  refuseVisible(visible.filter((path) => secrets.includes(path)));
}

function refuseVisible(paths: readonly string[]): void {
  const [path] = paths;
  if (path === undefined) return;
  const field = path.replace(/^config\./, "");
  throw new UsageError(
    `${path} is a secret, which does not belong on a command line: ` +
      `use --secret-from-env ${field}=VARIABLE, --secret-from-file ${field}=FILE ` +
      `or --secret-from-stdin ${field}`,
  );
}

/** Fields of a configuration go without `config.` before them. */
function secretPath(operation: Operation, path: string): string {
  const members = membersOf(operation);
  const [first = ""] = path.split(".");
  return "config" in members && !(first in members) ? `config.${path}` : path;
}

function valueOf(input: Input, name: string, schema: Schema): unknown {
  const { type, multiple, value } = shapeOf(schema);
  if (type === "boolean") return input.flag(name);
  const text = input.text(name);
  if (text === undefined) return undefined;
  if (text === "null") return null;
  if (multiple) return input.texts(name).flatMap((each) => each === "" ? [] : [each]);
  if (value === "YAML") return parseYaml(text, `--${name}`);
  if (value === "NUMBER") {
    if (text.trim() === "" || !Number.isFinite(Number(text))) {
      throw new UsageError(`--${name} takes a number, not "${text}"`);
    }
    return Number(text);
  }
  return text;
}

function parseYaml(text: string, source: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 }) as unknown;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new CommandError(`Cannot read ${source}: ${reason}`, 6);
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function setAt(body: Body, path: string, value: unknown): void {
  const members = path.split(".");
  let place = body;
  for (const member of members.slice(0, -1)) {
    const inner = Object.hasOwn(place, member) ? place[member] : undefined;
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
      place = inner as Body;
    } else {
      const fresh: Body = {};
      define(place, member, fresh);
      place = fresh;
    }
  }
  define(place, members.at(-1)!, value);
}

/** Sets a member of the object itself, whatever its name. */
function define(place: Body, member: string, value: unknown): void {
  Object.defineProperty(place, member, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function pathsWithin(path: string, value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([member, inner]) =>
    pathsWithin(`${path}.${member}`, inner)
  );
}
