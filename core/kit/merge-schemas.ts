import type { Json, JsonObject } from "../contract/json.ts";
import { isObject } from "./json-text.ts";

/** Bounds of which the narrower holds. */
const lower = new Set(["minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum"]);
const upper = new Set(["maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum"]);

/**
 * Merges schemas that all hold into one. Where two disagree and no schema says both, the first wins. Every schema is
 * looked at once, however many there are.
 *
 * @param onConflict is told the member of such a disagreement, once
 */
export function mergeSchemas(
  schemas: readonly JsonObject[],
  onConflict: (member: string) => void,
): Record<string, Json> {
  const out: Record<string, Json> = {};
  const properties = new Map<string, JsonObject[]>();
  const items: JsonObject[] = [];
  const required = new Set<Json>();
  const conflicts = new Set<string>();
  for (const schema of schemas) {
    for (const [name, value] of Object.entries(schema)) {
      if (value === undefined || name === "nullable") continue;
      if (name === "properties" && isObject(value)) {
        // Marks the member's place; it is filled below.
        out[name] ??= {};
        collect(properties, value);
      } else if (name === "items" && isObject(value)) {
        out[name] ??= {};
        items.push(value);
      } else if (name === "required" && Array.isArray(value)) {
        out[name] ??= [];
        for (const each of value as readonly Json[]) required.add(each);
      } else if (!Object.hasOwn(out, name)) out[name] = value;
      else if (!conflicts.has(name)) {
        const merged = mergeMember(name, out[name]!, value);
        if (merged === undefined) {
          conflicts.add(name);
          onConflict(name);
        } else out[name] = merged;
      }
    }
  }
  if (required.size > 0) out["required"] = [...required];
  if (items.length > 0) out["items"] = mergeAll(items, onConflict);
  if (properties.size > 0) {
    out["properties"] = Object.fromEntries(
      [...properties].map(([name, each]) => [name, mergeAll(each, onConflict)]),
    );
  }
  const nullable = schemas.some((schema) => schema["nullable"] === true);
  if (nullable && schemas.every(allowsNull)) out["nullable"] = true;
  return out;
}

function mergeAll(schemas: readonly JsonObject[], onConflict: (member: string) => void) {
  return schemas.length === 1 ? schemas[0]! : mergeSchemas(schemas, onConflict);
}

function collect(properties: Map<string, JsonObject[]>, more: JsonObject): void {
  for (const [name, schema] of Object.entries(more)) {
    if (!isObject(schema)) continue;
    const known = properties.get(name);
    if (known) known.push(schema);
    else properties.set(name, [schema]);
  }
}

/** A schema that names no values allows all of them. */
function allowsNull(schema: JsonObject): boolean {
  return schema["nullable"] === true ||
    ["type", "enum", "anyOf", "oneOf"].every((name) => schema[name] === undefined);
}

/** The value that says both; undefined when there is none. */
function mergeMember(name: string, before: Json, after: Json): Json | undefined {
  if (name === "enum" && Array.isArray(before) && Array.isArray(after)) {
    const others = new Set(after as readonly Json[]);
    const both = (before as readonly Json[]).filter((value) => others.has(value));
    return both.length > 0 ? both : undefined;
  }
  if (typeof before === "number" && typeof after === "number") {
    if (lower.has(name)) return Math.max(before, after);
    if (upper.has(name)) return Math.min(before, after);
  }
  // Every whole number is a number, so the narrower type holds.
  if (name === "type" && [before, after].sort().join() === "integer,number") return "integer";
  return JSON.stringify(before) === JSON.stringify(after) ? before : undefined;
}
