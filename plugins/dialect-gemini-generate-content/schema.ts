import type { Json, JsonObject } from "@vmx/core/contract";
import { isObject, type SchemaTarget } from "@vmx/core/kit";

const shared = [
  "type",
  "title",
  "description",
  "format",
  "enum",
  "items",
  "minItems",
  "maxItems",
  "minimum",
  "maximum",
  "properties",
  "propertyOrdering",
  "required",
  "anyOf",
];

/**
 * The service's own `Schema`, a part of OpenAPI 3.0 (Gemini API, `Schema`). It refuses other formats of texts, enums
 * of anything but texts, empty ones among them, and lists without elements.
 */
export const openApiTarget: SchemaTarget = {
  keywords: new Set([
    ...shared,
    "nullable",
    "default",
    "example",
    "minLength",
    "maxLength",
    "pattern",
    "minProperties",
    "maxProperties",
  ]),
  formats: {
    string: ["date-time", "enum"],
    number: ["float", "double"],
    integer: ["int32", "int64"],
  },
  nullable: "nullable",
  takesEnumValue: (value) => typeof value === "string" && value !== "",
  itemsType: "string",
};

/** What the service takes in the members that hold JSON Schema (Gemini API, "JSON Schema support"). */
export const jsonSchemaTarget: SchemaTarget = {
  keywords: new Set([...shared, "prefixItems", "oneOf", "additionalProperties"]),
  nullable: "type-list",
  takesEnumValue: (value) => typeof value === "string" || typeof value === "number",
};

/** Whether a schema says that a function takes nothing; the service refuses to have that spelled out. */
export function isEmptySchema(schema: JsonObject): boolean {
  const { properties, type, description: _description, title: _title, ...rest } = schema;
  return (type === undefined || type === "object") && Object.keys(rest).length === 0 &&
    (properties === undefined || (isObject(properties) && Object.keys(properties).length === 0));
}

/** Reads the service's own `Schema` as JSON Schema: types in lower case, `nullable` as a type. */
export function readSchema(schema: JsonObject): JsonObject {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (value === undefined) continue;
    if (name === "type" && typeof value === "string") out[name] = value.toLowerCase();
    else if (name === "properties" && isObject(value)) {
      out[name] = Object.fromEntries(
        Object.entries(value).map(([key, each]) => [key, isObject(each) ? readSchema(each) : each]),
      );
    } else if (name === "items" && isObject(value)) out[name] = readSchema(value);
    else if (name === "anyOf" && Array.isArray(value)) {
      out[name] = (value as readonly Json[]).map((each) =>
        isObject(each) ? readSchema(each) : each
      );
    } else if (name === "nullable") continue;
    else out[name === "any_of" ? "anyOf" : name] = value;
  }
  if (schema["nullable"] !== true) return out;
  if (typeof out["type"] === "string") out["type"] = [out["type"], "null"];
  else if (Array.isArray(out["anyOf"])) {
    out["anyOf"] = [...out["anyOf"] as Json[], { type: "null" }];
  }
  if (Array.isArray(out["enum"])) out["enum"] = [...out["enum"] as Json[], null];
  return out;
}
