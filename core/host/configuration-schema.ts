import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Fault } from "../contract/index.ts";
import { Secret } from "../kit/secret.ts";
import { faultsOf } from "./faults.ts";

/** A JSON Schema as a plugin ships it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A configuration: a JSON object whose secret members may be `Secret` values. */
export type Configuration = Readonly<Record<string, unknown>>;

/** What a secret reads as in answers. */
export const maskText = "********";

/** A configuration schema, ready to check values. */
export interface CompiledConfiguration {
  /** Every fault of a configuration; empty when it is valid. The value is left as it is. */
  check(config: unknown): Fault[];
  /** A copy with the schema's defaults filled in. Call it with a valid configuration, before `withSecrets`. */
  complete(config: Configuration): Configuration;
}

/** Compiles a plugin's configuration schema. Throws when it is not a JSON Schema 2020-12. */
export function compileConfiguration(schema: JsonSchema): CompiledConfiguration {
  const check = checking().compile(schema);
  let fill: ValidateFunction | undefined;
  return {
    check(config) {
      return check(config) ? [] : faultsOf(check.errors);
    },
    complete(config) {
      const copy = structuredClone(config);
      fill ??= filling().compile(schema);
      fill(copy);
      return copy;
    },
  };
}

/**
 * Paths of the values a schema declares `format: secret` and a configuration holds, members of maps included.
 * A path is dotted, such as `headers.api-key`; a dot inside a name is written `\.`.
 */
export function secretPaths(schema: JsonSchema, config: Configuration): string[] {
  return paths(schema, config, (node) => node.format === "secret");
}

/** Paths of the values that decide where a secret is sent: members marked `x-vmx-destination`. */
export function destinationPaths(schema: JsonSchema, config: Configuration): string[] {
  return paths(schema, config, (node) => node["x-vmx-destination"] === true);
}

/** A copy with every secret masked. */
export function mask(schema: JsonSchema, config: Configuration): Configuration {
  return replaceSecrets(schema, config, (value) => value === null ? value : maskText);
}

/** Whether a value is a mask sent back: it consists of asterisks alone. */
export function isMask(value: unknown): boolean {
  return typeof value === "string" && /^\*+$/.test(value);
}

/** A copy in which every secret text is a `Secret`. */
export function withSecrets(schema: JsonSchema, config: Configuration): Configuration {
  return replaceSecrets(
    schema,
    config,
    (value) => typeof value === "string" ? new Secret(value) : value,
  );
}

/** The value at a path, or undefined. */
export function valueAt(config: Configuration, path: string): unknown {
  let value: unknown = config;
  for (const name of splitPath(path)) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A copy with another value at a path; undefined removes it. Maps and lists on the way are copied. */
export function withValueAt(config: Configuration, path: string, value: unknown): Configuration {
  return put(config, splitPath(path), value) as Configuration;
}

function replaceSecrets(
  schema: JsonSchema,
  config: Configuration,
  replace: (value: unknown) => unknown,
): Configuration {
  let copy = config;
  for (const path of secretPaths(schema, config)) {
    copy = withValueAt(copy, path, replace(valueAt(config, path)));
  }
  return copy;
}

function paths(
  schema: JsonSchema,
  config: Configuration,
  wanted: (node: JsonSchema) => boolean,
): string[] {
  const found = new Set<string>();
  walk(schema, schema, config, [], new Set(), (node, path) => {
    if (path.length > 0 && wanted(node)) found.add(path.map(escapeName).join("."));
  });
  return [...found];
}

/** Visits every schema that applies to a value that is present. `seen` stops references that lead to themselves. */
function walk(
  root: JsonSchema,
  node: unknown,
  value: unknown,
  path: readonly string[],
  seen: Set<unknown>,
  visit: (node: JsonSchema, path: readonly string[]) => void,
): void {
  if (!isRecord(node) || value === undefined || seen.has(node)) return;
  seen.add(node);
  visit(node, path);
  const same = [node.if, node.then, node.else, resolve(root, node.$ref)];
  for (const list of [node.allOf, node.anyOf, node.oneOf]) {
    if (Array.isArray(list)) same.push(...list);
  }
  for (const other of same) walk(root, other, value, path, seen, visit);
  if (value instanceof Secret) return;
  if (Array.isArray(value)) {
    value.forEach((item, index) =>
      walk(root, node.items, item, [...path, String(index)], new Set(), visit)
    );
  } else if (isRecord(value)) {
    for (const [name, member] of Object.entries(value)) {
      // One set for all schemas of a member: the same schema need not be visited twice.
      const below = new Set<unknown>();
      for (const schema of memberSchemas(node, name)) {
        walk(root, schema, member, [...path, name], below, visit);
      }
    }
  }
}

function memberSchemas(node: JsonSchema, name: string): unknown[] {
  const schemas: unknown[] = [];
  if (isRecord(node.properties) && Object.hasOwn(node.properties, name)) {
    schemas.push(node.properties[name]);
  }
  if (isRecord(node.patternProperties)) {
    for (const [pattern, schema] of Object.entries(node.patternProperties)) {
      if (new RegExp(pattern, "u").test(name)) schemas.push(schema);
    }
  }
  if (schemas.length === 0) schemas.push(node.additionalProperties ?? node.unevaluatedProperties);
  return schemas;
}

function resolve(root: JsonSchema, reference: unknown): unknown {
  if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
  let node: unknown = root;
  for (const token of reference.split("/").slice(1)) {
    const name = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~");
    node = isRecord(node) ? node[name] : undefined;
  }
  return node;
}

function put(target: unknown, names: readonly string[], value: unknown): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return value;
  if (Array.isArray(target)) {
    return target.map((item, index) => String(index) === name ? put(item, rest, value) : item);
  }
  const entries = new Map(Object.entries(isRecord(target) ? target : {}));
  const member = put(entries.get(name), rest, value);
  if (member === undefined) entries.delete(name);
  else entries.set(name, member);
  return Object.fromEntries(entries);
}

function escapeName(name: string): string {
  return name.replaceAll("\\", "\\\\").replaceAll(".", "\\.");
}

function splitPath(path: string): string[] {
  return (path.match(/(?:\\.|[^.\\])+/g) ?? []).map((name) => name.replace(/\\(.)/g, "$1"));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

// A validator compiles the meta schema when it is first used, so all schemas go through the same two.
const checking = once(() => createValidator(false));
const filling = once(() => createValidator(true));

function once<Value>(create: () => Value): () => Value {
  let value: Value | undefined;
  return () => value ??= create();
}

function createValidator(useDefaults: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    useDefaults,
    // Two plugins may give their schemas the same id.
    addUsedSchema: false,
    validateSchema: !useDefaults,
    // It would tell the console of formats it does not know; those are annotations.
    logger: false,
  });
  addFormats.default(ajv);
  ajv.addFormat("secret", true);
  return ajv;
}
