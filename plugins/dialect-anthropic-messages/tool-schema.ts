import type { Json, JsonObject, Warning } from "@vmx/core/contract";
import { compact, objectOf, objectsOf, pointer, textOf } from "./read-json.ts";

/** Keywords that stand beside the properties of an object and are refused at the top of `input_schema`. */
const unions = ["oneOf", "anyOf", "allOf"] as const;

/**
 * Writes the schema of a tool's arguments. The top must be an object without unions: branches are merged into one
 * object that accepts what any of them does.
 */
export function writeToolSchema(
  schema: JsonObject | undefined,
  path: string,
  warn: (warning: Warning) => void,
): JsonObject {
  if (!schema) return { type: "object", properties: {} };
  const present = unions.filter((name) => schema[name] !== undefined);
  if (present.length === 0) {
    return schema["type"] === "object" ? schema : { ...schema, type: "object" };
  }
  const merged: Record<string, Json | undefined> = { ...schema, type: "object" };
  let properties = objectOf(schema["properties"]) ?? {};
  let required = new Set(texts(schema["required"]));
  for (const name of present) {
    const branches = objectsOf(schema[name]);
    for (const branch of branches) {
      properties = { ...objectOf(branch["properties"]), ...properties };
    }
    const needs = branches.map((branch) => new Set(texts(branch["required"])));
    const shared = name === "allOf"
      ? needs.flatMap((each) => [...each])
      : [...needs[0] ?? []].filter((each) => needs.every((need) => need.has(each)));
    required = new Set([...required, ...shared]);
    delete merged[name];
    warn({
      code: "schema_simplified",
      path: path + pointer(name),
      action: "approximated",
      detail: `"${name}" at the top of a tool's schema is merged into one object`,
    });
  }
  return compact({
    ...merged,
    properties,
    required: required.size === 0 ? undefined : [...required],
  });
}

function texts(value: Json | undefined): string[] {
  return (Array.isArray(value) ? value as readonly Json[] : [])
    .map(textOf).filter((each) => each !== undefined);
}
