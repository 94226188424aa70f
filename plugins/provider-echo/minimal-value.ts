import type { Json, JsonObject } from "@vmx/core/contract";

/** Nesting beyond which a schema is taken to be endless. */
const maxDepth = 32;

const formats: Readonly<Record<string, string>> = {
  "date-time": "1970-01-01T00:00:00Z",
  date: "1970-01-01",
  time: "00:00:00Z",
  duration: "PT0S",
  email: "a@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  "uri-reference": "/",
  url: "https://example.com/",
  uuid: "00000000-0000-0000-0000-000000000000",
};

/** The smallest value a JSON Schema accepts: required members only, empty lists, zero, false, empty text. */
export function minimalValue(
  schema: Json | undefined,
  root: Json | undefined = schema,
  depth = 0,
): Json {
  if (!isObject(schema) || depth > maxDepth) return {};
  const resolved = merged(schema, root);
  if (resolved["const"] !== undefined) return resolved["const"];
  const choices = resolved["enum"];
  if (Array.isArray(choices) && choices.length > 0) return choices[0] as Json;
  for (const name of ["anyOf", "oneOf"]) {
    const options = resolved[name];
    if (!Array.isArray(options) || options.length === 0) continue;
    const { [name]: _, ...rest } = resolved;
    return minimalValue({ allOf: [rest, options[0] as Json] }, root, depth + 1);
  }
  switch (typeOf(resolved)) {
    case "array":
      return minimalList(resolved, root, depth);
    case "string":
      return minimalText(resolved);
    case "integer":
    case "number":
      return minimalNumber(resolved);
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return minimalObject(resolved, root, depth);
  }
}

function minimalObject(schema: JsonObject, root: Json | undefined, depth: number): Json {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const members = required.filter((name) => typeof name === "string").map((name) =>
    [name, minimalValue(properties[name] ?? { type: "string" }, root, depth + 1)] as const
  );
  return Object.fromEntries(members);
}

function minimalList(schema: JsonObject, root: Json | undefined, depth: number): Json {
  const prefix = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
  const length = Math.min(numberOf(schema["minItems"]) ?? 0, 1000);
  return Array.from(
    { length },
    (_, at) => minimalValue((prefix[at] ?? schema["items"] ?? {}) as Json, root, depth + 1),
  );
}

function minimalText(schema: JsonObject): string {
  const format = formats[String(schema["format"])];
  if (format !== undefined) return format;
  return "a".repeat(Math.min(numberOf(schema["minLength"]) ?? 0, 10_000));
}

function minimalNumber(schema: JsonObject): number {
  const step = numberOf(schema["multipleOf"]) ?? 1;
  const over = numberOf(schema["exclusiveMinimum"]);
  const under = numberOf(schema["exclusiveMaximum"]);
  const least = numberOf(schema["minimum"]) ?? (over === undefined ? undefined : over + step);
  const most = numberOf(schema["maximum"]) ?? (under === undefined ? undefined : under - step);
  const wanted = Math.max(least ?? Math.min(0, most ?? 0), Math.min(0, most ?? 0));
  const value = Math.ceil(wanted / step) * step;
  // Bounds closer together than a whole step leave only what lies between them.
  return most !== undefined && value > most && schema["type"] === "number"
    ? (wanted + most) / 2
    : value;
}

/** Follows `$ref` and joins `allOf`, so that one object holds every keyword. */
function merged(schema: JsonObject, root: Json | undefined, depth = 0): JsonObject {
  let result = schema;
  const reference = schema["$ref"];
  if (typeof reference === "string" && depth < maxDepth) {
    const { $ref: _, ...rest } = schema;
    const target = pointed(root, reference);
    result = { ...(isObject(target) ? merged(target, root, depth + 1) : {}), ...rest };
  }
  const parts = result["allOf"];
  if (!Array.isArray(parts) || depth >= maxDepth) return result;
  const { allOf: _, ...own } = result;
  return parts.filter(isObject).map((part) => merged(part, root, depth + 1)).reduce(join, own);
}

function join(one: JsonObject, other: JsonObject): JsonObject {
  const both = (name: string): Json[] =>
    [one[name], other[name]].flatMap((list) => Array.isArray(list) ? list as Json[] : []);
  const properties = [one["properties"], other["properties"]].filter(isObject);
  return {
    ...one,
    ...other,
    ...(properties.length > 0 && { properties: Object.assign({}, ...properties) as JsonObject }),
    ...(both("required").length > 0 && { required: [...new Set(both("required"))] }),
  };
}

function pointed(root: Json | undefined, reference: string): Json | undefined {
  if (!reference.startsWith("#")) return undefined;
  const steps = reference.slice(1).split("/").slice(1);
  return steps.reduce<Json | undefined>((value, step) => {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }, root);
}

function typeOf(schema: JsonObject): string {
  const { type } = schema;
  if (typeof type === "string") return type;
  if (Array.isArray(type) && typeof type[0] === "string") return type[0];
  if (schema["items"] !== undefined || schema["prefixItems"] !== undefined) return "array";
  return "object";
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
