import type { Json, JsonObject } from "../contract/json.ts";
import type { Warning } from "../contract/warning.ts";
import { isObject } from "./json-text.ts";
import type { SchemaTarget } from "./schema-target.ts";

/** What the steps of a rewriting share. */
export interface SchemaRewriting {
  readonly target: SchemaTarget;
  /** @param at pointer inside the schema */
  warn(at: string, action: Warning["action"], detail: string): void;
}

/** A schema being written. */
export type WrittenSchema = Record<string, Json>;

/** The types of JSON Schema. */
export const schemaTypes: ReadonlySet<string> = new Set([
  "object",
  "array",
  "string",
  "number",
  "integer",
  "boolean",
  "null",
]);

/** Spellings of types found outside JSON Schema; the empty one allows every type. */
const foreignTypes: Readonly<Record<string, string>> = {
  dict: "object",
  map: "object",
  hashmap: "object",
  list: "array",
  arraylist: "array",
  tuple: "array",
  float: "number",
  double: "number",
  int: "integer",
  long: "integer",
  str: "string",
  char: "string",
  bool: "boolean",
  any: "",
  type_unspecified: "",
};

/** Members that say something about one type only. */
const membersOf: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "minProperties", "maxProperties", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum"],
  integer: ["minimum", "maximum"],
};

/** A type in JSON Schema's spelling. */
export function schemaType(name: string): string {
  const lower = name.toLowerCase();
  return Object.hasOwn(foreignTypes, lower) ? foreignTypes[lower]! : lower;
}

/** Writes `const` and `enum`. Values the target does not take are told to the model in the description. */
export function writeValues(
  out: WrittenSchema,
  node: JsonObject,
  at: string,
  { target, warn }: SchemaRewriting,
): void {
  const constant = node["const"];
  if (constant !== undefined) {
    if (target.keywords.has("const")) out["const"] = constant;
    else out["enum"] = [constant];
  }
  const values = out["enum"];
  if (!Array.isArray(values)) return;
  const all = values as readonly Json[];
  const nullToo = all.includes(null) && target.nullable === "nullable";
  const rest = nullToo ? all.filter((value) => value !== null) : all;
  if (nullToo) out["nullable"] = true;
  const taken = rest.filter((value) => target.takesEnumValue?.(value) ?? true);
  const [kind, ...others] = new Set(rest.map(jsonType));
  if (node["type"] === undefined) {
    if (kind !== undefined && others.length === 0) out["type"] = kind;
    if (rest.length === 0 && nullToo) out["type"] = "null";
  }
  if (taken.length > 0) out["enum"] = taken;
  else delete out["enum"];
  if (taken.length === rest.length) return;
  const member = constant === undefined ? "enum" : "const";
  warn(
    `${at}/${member}`,
    taken.length > 0 ? "dropped" : "approximated",
    "Not all values are taken",
  );
  if (taken.length > 0 || !target.keywords.has("description")) return;
  const listed = `One of: ${rest.map((value) => JSON.stringify(value)).join(", ")}`.slice(0, 500);
  const { description } = out;
  out["description"] = typeof description === "string" ? `${description} (${listed})` : listed;
}

/** Writes `type`: one, nullable or not; of several a union. A type that is only implied is written out. */
export function writeType(
  out: WrittenSchema,
  node: JsonObject,
  at: string,
  { target, warn }: SchemaRewriting,
): void {
  const type = node["type"] ?? out["type"] ?? "";
  const named = (Array.isArray(type) ? type as readonly Json[] : [type])
    .filter((each) => typeof each === "string" && each !== "") as readonly string[];
  out["type"] = "";
  for (const name of named) {
    if (schemaTypes.has(name.toLowerCase())) continue;
    warn(`${at}/type`, "approximated", `The type "${name.slice(0, 50)}" is not of JSON Schema`);
  }
  const known = [...new Set(named.map(schemaType))].filter((each) => schemaTypes.has(each));
  const rest = known.filter((each) => each !== "null");
  if (known.length === 0) {
    if (isObject(out["properties"])) out["type"] = "object";
    else if (out["items"] !== undefined) out["type"] = "array";
  } else if (known.length === 1) out["type"] = known[0]!;
  else if (target.nullable === "type-list") out["type"] = known;
  else if (target.nullable === "nullable" && rest.length < known.length) {
    out["nullable"] = true;
    if (rest.length === 1) out["type"] = rest[0]!;
    else splitByType(out, rest, target);
  } else splitByType(out, known, target);
  if (out["type"] === "") delete out["type"];
}

/** Moves the members that belong to one type into that type's branch of a union. */
function splitByType(out: WrittenSchema, names: readonly string[], target: SchemaTarget): void {
  if (!target.keywords.has("anyOf")) return;
  const values = Array.isArray(out["enum"]) ? out["enum"] as readonly Json[] : undefined;
  const branches = names.map((type) => {
    const branch: WrittenSchema = { type };
    for (const name of membersOf[type] ?? []) {
      if (out[name] !== undefined) branch[name] = out[name];
    }
    const own = values?.filter((value) => fits(value, type)) ?? [];
    if (own.length > 0) branch["enum"] = own;
    if (type === "array" && branch["items"] === undefined && target.itemsType !== undefined) {
      branch["items"] = { type: target.itemsType };
    }
    return branch;
  });
  for (const name of [...names.flatMap((type) => membersOf[type] ?? []), "enum"]) delete out[name];
  const before = Array.isArray(out["anyOf"]) ? out["anyOf"] as readonly Json[] : [];
  out["anyOf"] = [...before, ...branches];
}

/** Removes a format the type must not have. */
export function writeFormat(
  out: WrittenSchema,
  at: string,
  { target, warn }: SchemaRewriting,
): void {
  const { format } = out;
  if (format === undefined || !target.formats) return;
  const type = String(out["type"]);
  const taken = Object.hasOwn(target.formats, type) ? target.formats[type]! : [];
  if (taken.includes(String(format))) return;
  delete out["format"];
  warn(
    `${at}/format`,
    "dropped",
    `The provider does not take the format ${JSON.stringify(format)}`,
  );
}

/** Leaves only declared properties among the required ones. */
export function writeRequired(
  out: WrittenSchema,
  at: string,
  { warn }: SchemaRewriting,
): void {
  const { required, properties } = out;
  if (required === undefined) return;
  delete out["required"];
  // Draft 3 and many hand-written schemas mark the property itself.
  if (!Array.isArray(required)) return;
  const declared = (required as readonly Json[]).filter((name) =>
    typeof name === "string" && isObject(properties) && Object.hasOwn(properties, name)
  );
  if (declared.length > 0) out["required"] = [...new Set(declared)];
  if (declared.length < required.length) {
    warn(`${at}/required`, "dropped", "Only properties that are declared can be required");
  }
}

/** Gives arrays that do not say what they hold elements of the target's type for them. */
export function writeItems(out: WrittenSchema, at: string, rewriting: SchemaRewriting): void {
  const { itemsType } = rewriting.target;
  if (out["type"] !== "array" || itemsType === undefined) return;
  const { items } = out;
  if (isObject(items) && Object.keys(items).length > 0) return;
  out["items"] = { type: itemsType };
  rewriting.warn(
    `${at}/items`,
    "approximated",
    `Elements of any type are offered as "${itemsType}"`,
  );
}

function jsonType(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function fits(value: Json, type: string): boolean {
  const own = jsonType(value);
  return own === type || (own === "integer" && type === "number");
}
