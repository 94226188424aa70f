import type { Json, JsonObject } from "../contract/json.ts";
import { isObject } from "./json-text.ts";

/** Bounds of which the narrower holds. */
const lower = new Set(["minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum"]);
const upper = new Set(["maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum"]);

/**
 * Merges schemas that all hold into one. Where two disagree and no schema says both, the first wins.
 *
 * @param onConflict is told the member of each such disagreement
 */
export function mergeSchemas(
  schemas: readonly JsonObject[],
  onConflict: (member: string) => void,
): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const schema of schemas) {
    for (const [name, value] of Object.entries(schema)) {
      if (value === undefined || name === "nullable") continue;
      const before = Object.hasOwn(out, name) ? out[name] : undefined;
      out[name] = before === undefined ? value : mergeMember(name, before, value, onConflict);
    }
  }
  const nullable = schemas.some((schema) => schema["nullable"] === true);
  if (nullable && schemas.every(allowsNull)) out["nullable"] = true;
  return out;
}

/** A schema that names no values allows all of them. */
function allowsNull(schema: JsonObject): boolean {
  return schema["nullable"] === true ||
    ["type", "enum", "anyOf", "oneOf"].every((name) => schema[name] === undefined);
}

function mergeMember(
  name: string,
  before: Json,
  after: Json,
  onConflict: (member: string) => void,
): Json {
  if (name === "properties" && isObject(before) && isObject(after)) {
    const merged = new Map<string, Json>();
    for (const [property, schema] of [...Object.entries(before), ...Object.entries(after)]) {
      const known = merged.get(property);
      if (schema === undefined) continue;
      merged.set(
        property,
        isObject(known) && isObject(schema) ? mergeSchemas([known, schema], onConflict) : schema,
      );
    }
    return Object.fromEntries(merged);
  }
  if (name === "items" && isObject(before) && isObject(after)) {
    return mergeSchemas([before, after], onConflict);
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    if (name === "required") return [...new Set([...before as Json[], ...after as Json[]])];
    if (name === "enum") {
      const both = (before as Json[]).filter((value) => (after as Json[]).includes(value));
      if (both.length > 0) return both;
    }
  }
  if (typeof before === "number" && typeof after === "number") {
    if (lower.has(name)) return Math.max(before, after);
    if (upper.has(name)) return Math.min(before, after);
  }
  // Every whole number is a number, so the narrower type holds.
  if (name === "type" && [before, after].sort().join() === "integer,number") return "integer";
  if (JSON.stringify(before) !== JSON.stringify(after)) onConflict(name);
  return before;
}
