import type { Json, JsonObject, Warning } from "@vmx/core/contract";
import { compact, objectOf, pointer } from "./read-json.ts";

/** Keywords structured outputs take as they are (SDK, `transformJSONSchema`). */
const taken = new Set([
  "type",
  "title",
  "description",
  "enum",
  "const",
  "required",
  "$ref",
  "default",
]);
/** Keywords that constrain nothing. */
const silent = new Set(["$schema", "$id", "$comment", "examples", "deprecated"]);
const formats = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid",
]);

/**
 * Rewrites a schema so that structured outputs take it: objects are closed, `oneOf` becomes `anyOf`, constraints
 * the grammar does not know are left out with a `schema_simplified` warning each.
 */
export function writeOutputSchema(
  schema: JsonObject,
  path: string,
  warn: (warning: Warning) => void,
): JsonObject {
  const simplified = (keyword: string): void =>
    warn({
      code: "schema_simplified",
      path: path + pointer(keyword),
      action: "dropped",
      detail: `Structured outputs do not take "${keyword}" here`,
    });
  const nested = (value: Json | undefined, ...steps: (string | number)[]): Json | undefined => {
    const inner = objectOf(value);
    return inner ? writeOutputSchema(inner, path + pointer(...steps), warn) : value;
  };
  const written: Record<string, Json | undefined> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (value === undefined || silent.has(keyword)) continue;
    if (taken.has(keyword)) written[keyword] = value;
    else if (keyword === "properties" || keyword === "$defs" || keyword === "definitions") {
      written[keyword] = compact(Object.fromEntries(
        Object.entries(objectOf(value) ?? {}).map((
          [name, each],
        ) => [name, nested(each, keyword, name)]),
      ));
    } else if (keyword === "items") written["items"] = nested(value, "items");
    else if ((keyword === "anyOf" || keyword === "oneOf" || keyword === "allOf")) {
      const branches = Array.isArray(value) ? value as readonly Json[] : [];
      const name = keyword === "oneOf" ? "anyOf" : keyword;
      written[name] = branches.map((each, at) => nested(each, keyword, at)!);
    } else if (keyword === "additionalProperties") {
      if (value !== false) simplified(keyword);
    } else if (keyword === "format" && formats.has(String(value))) written[keyword] = value;
    else if (keyword === "minItems" && (value === 0 || value === 1)) written[keyword] = value;
    else simplified(keyword);
  }
  const isObjectSchema = written["type"] === "object" || written["properties"] !== undefined;
  return compact(isObjectSchema ? { ...written, additionalProperties: false } : written);
}
