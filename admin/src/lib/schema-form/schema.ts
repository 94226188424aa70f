/** A JSON Schema as plugins write it; nothing about it is taken for granted. */
export type Schema = Readonly<Record<string, unknown>>;

/** How a value is edited. Whatever is not understood is edited as JSON, never left out. */
export type FieldKind =
  | "secret"
  | "text"
  | "long-text"
  | "number"
  | "boolean"
  | "choice"
  | "constant"
  | "choices"
  | "texts"
  | "list"
  | "map"
  | "object"
  | "variants"
  | "json";

/** Deepest nesting that gets fields of its own; below it a value is edited as JSON. */
const deepest = 6;

/** Follows a `$ref` within the document. Anything else stays as it is. */
export function resolveReference(schema: unknown, root: Schema): Schema {
  let current = isSchema(schema) ? schema : {};
  for (let hops = 0; hops < 16; hops++) {
    const reference = current["$ref"];
    if (typeof reference !== "string" || !reference.startsWith("#")) return current;
    const { $ref: _, ...beside } = current;
    let target: unknown = root;
    for (const part of reference.slice(1).split("/").filter(Boolean)) {
      const name = decode(part);
      target = isSchema(target) && Object.hasOwn(target, name)
        ? target[name]
        : Array.isArray(target)
        ? target[Number(name)]
        : undefined;
    }
    if (!isSchema(target)) return { ...beside, not: {} };
    current = { ...target, ...beside };
  }
  return {};
}

/** Decides how a value under this schema is edited. */
export function kindOf(schema: Schema, root: Schema, depth: number): FieldKind {
  if ("const" in schema) return isPlain(schema["const"]) ? "constant" : "json";
  if (Array.isArray(schema["enum"])) {
    return schema["enum"].length > 0 && schema["enum"].every(isPlain) ? "choice" : "json";
  }
  if (variantsOf(schema, root)) return depth < deepest ? "variants" : "json";
  switch (typeOf(schema)) {
    case "string":
      if (isSecret(schema)) return "secret";
      return ["markdown", "pem", "json"].includes(String(schema["format"])) ? "long-text" : "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return depth < deepest ? kindOfArray(schema, root) : "json";
    case "object":
      if (depth >= deepest) return "json";
      if (isSchema(schema["properties"]) && Object.keys(schema["properties"]).length > 0) {
        return "object";
      }
      return isSchema(schema["additionalProperties"]) || isSchema(schema["patternProperties"])
        ? "map"
        : "json";
    default:
      return "json";
  }
}

function kindOfArray(schema: Schema, root: Schema): FieldKind {
  if (!isSchema(schema["items"])) return "json";
  const items = resolveReference(schema["items"], root);
  if (Array.isArray(items["enum"]) && items["enum"].every((each) => typeof each === "string")) {
    return "choices";
  }
  if (typeOf(items) === "string" && !isSecret(items) && !("const" in items)) return "texts";
  return "list";
}

/** Whether a value is write-only. */
export function isSecret(schema: Schema): boolean {
  return schema["format"] === "secret" || schema["format"] === "password" ||
    schema["writeOnly"] === true;
}

/** A stored secret reads as asterisks. */
export function isMasked(value: unknown): boolean {
  return typeof value === "string" && /^\*+$/.test(value);
}

/** The alternatives of `oneOf` or `anyOf`, when a person can choose between them. */
export function variantsOf(schema: Schema, root: Schema): readonly Schema[] | undefined {
  const list = schema["oneOf"] ?? schema["anyOf"];
  if (!Array.isArray(list) || list.length === 0 || !list.every(isSchema)) return undefined;
  const resolved = list.map((each) => resolveReference(each, root));
  return resolved.every((each) => typeOf(each) !== undefined || "const" in each || "enum" in each)
    ? resolved
    : undefined;
}

/** What a variant is called: its title, or what sets it apart. */
export function variantLabel(variant: Schema, index: number): string {
  if (typeof variant["title"] === "string") return variant["title"];
  if ("const" in variant) return String(variant["const"]);
  for (const [name, property] of Object.entries(propertiesOf(variant))) {
    if (isSchema(property) && "const" in property) return `${name}: ${property["const"]}`;
  }
  return typeof variant["type"] === "string" ? variant["type"] : `Alternative ${index + 1}`;
}

/** The single type of a schema; null beside it is left aside. */
export function typeOf(schema: Schema): string | undefined {
  const { type } = schema;
  if (typeof type === "string") return type;
  if (Array.isArray(type)) {
    const rest = type.filter((each) => each !== "null");
    return rest.length === 1 && typeof rest[0] === "string" ? rest[0] : undefined;
  }
  if (isSchema(schema["properties"])) return "object";
  return undefined;
}

/** A member of an object. */
export interface Member {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
  readonly advanced: boolean;
}

/** The members of an object schema that apply to the value, in the order they are shown in. */
export function membersOf(schema: Schema, root: Schema, value: unknown): readonly Member[] {
  const conditional = branchOf(schema, root, value);
  const properties = { ...propertiesOf(schema), ...propertiesOf(conditional) };
  const required = new Set([...requiredOf(schema), ...requiredOf(conditional)]);
  const members = Object.entries(properties).flatMap(([name, property]): Member[] => {
    if (property === false) return [];
    const resolved = resolveReference(property, root);
    if (!isVisible(resolved, value)) return [];
    return [{
      name,
      schema: resolved,
      required: required.has(name),
      advanced: resolved["x-vmx-advanced"] === true,
    }];
  });
  const rank = ({ schema: each, required: needed }: Member) =>
    typeof each["order"] === "number" ? each["order"] : needed ? 500 : 1_000;
  return members.toSorted((a, b) => rank(a) - rank(b));
}

/** `if`, `then`, `else` in the one form people write: constants of members decide. */
function branchOf(schema: Schema, root: Schema, value: unknown): Schema {
  if (!isSchema(schema["if"])) return {};
  const test = resolveReference(schema["if"], root);
  const holds = Object.entries(propertiesOf(test)).every(([name, property]) => {
    if (!isSchema(property)) return true;
    const actual = isSchema(value) ? value[name] : undefined;
    if ("const" in property) return actual === property["const"];
    return !Array.isArray(property["enum"]) || property["enum"].includes(actual);
  });
  return resolveReference(holds ? schema["then"] : schema["else"], root);
}

function isVisible(schema: Schema, value: unknown): boolean {
  const condition = schema["x-vmx-visible-if"];
  if (!isSchema(condition) || !isSchema(value)) return true;
  return Object.entries(condition).every(([name, wanted]) => value[name] === wanted);
}

function propertiesOf(schema: Schema): Schema {
  return isSchema(schema["properties"]) ? schema["properties"] : {};
}

function requiredOf(schema: Schema): readonly string[] {
  const { required } = schema;
  return Array.isArray(required) ? required.filter((each) => typeof each === "string") : [];
}

/** The heading of a field: its title, or its name made readable. */
export function labelOf(schema: Schema, name: string): string {
  if (typeof schema["title"] === "string" && schema["title"].trim()) return schema["title"];
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").trim();
  return words ? words[0]!.toUpperCase() + words.slice(1) : "Value";
}

/** What an empty field of this schema holds when it is added. */
export function emptyOf(schema: Schema, root: Schema): unknown {
  if ("default" in schema) return schema["default"];
  if ("const" in schema) return schema["const"];
  const first = variantsOf(schema, root)?.[0];
  if (first) return emptyOf(first, root);
  switch (typeOf(schema)) {
    case "object": {
      const constants = membersOf(schema, root, {}).filter((member) => "const" in member.schema);
      return Object.fromEntries(
        constants.map(({ name, schema: { const: value } }) => [name, value]),
      );
    }
    case "array":
      return [];
    case "boolean":
      return false;
    default:
      return undefined;
  }
}

/** Whether something can be read as a schema object. */
export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return part;
  }
}
