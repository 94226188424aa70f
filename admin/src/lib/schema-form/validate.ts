import { type OutputUnit, type Schema as ValidatorSchema, Validator } from "@cfworker/json-schema";
import { isMasked, isSchema, resolveReference, type Schema } from "./schema.ts";

/**
 * Checks a value by interpreting its schema; the content security policy allows no generated code. A schema that
 * cannot be interpreted finds no faults: the gateway checks again.
 *
 * @returns texts by JSON pointer
 */
export function validate(schema: Schema, value: unknown): Record<string, string> {
  let errors: OutputUnit[];
  try {
    const validator = new Validator(schema as ValidatorSchema, "2020-12", false);
    ({ errors } = validator.validate(withoutMasks(value)));
  } catch {
    return {};
  }
  const faults: Record<string, string> = {};
  for (const error of errors) {
    const found = faultOf(error, schema);
    // The first fault of a field is the one that says most.
    if (found && !(found.pointer in faults)) faults[found.pointer] = found.text;
  }
  return faults;
}

/** Checks that only sum up what others have found. */
const summaries = new Set([
  "properties",
  "items",
  "additionalProperties",
  "patternProperties",
  "allOf",
  "$ref",
  "if",
  "then",
  "else",
  "dependentSchemas",
  "false",
]);

function faultOf(
  { keyword, keywordLocation, instanceLocation, error }: OutputUnit,
  root: Schema,
): { pointer: string; text: string } | undefined {
  const pointer = instanceLocation.replace(/^#/, "");
  if (keyword === "required" || keyword === "dependentRequired") {
    // The message ends with the name of the member that is missing.
    const name = [...error.matchAll(/"([^"]+)"/g)].at(-1)?.[1];
    return { pointer: name === undefined ? pointer : `${pointer}/${name}`, text: "Needed" };
  }
  if (summaries.has(keyword)) return undefined;
  const holder = at(root, keywordLocation.replace(/^#/, "").split("/").slice(1, -1));
  const own = holder["errorMessage"];
  const limit = holder[keyword];
  const text = typeof own === "string"
    ? own
    : isSchema(own) && typeof own[keyword] === "string"
    ? String(own[keyword])
    : textOf(keyword, limit, holder) ?? error;
  return { pointer, text };
}

function textOf(keyword: string, limit: unknown, holder: Schema): string | undefined {
  switch (keyword) {
    case "minLength":
      return limit === 1 ? "Needed" : `At least ${limit} characters`;
    case "maxLength":
      return `At most ${limit} characters`;
    case "minimum":
      return `${limit} or more`;
    case "maximum":
      return `${limit} or less`;
    case "exclusiveMinimum":
      return `More than ${limit}`;
    case "exclusiveMaximum":
      return `Less than ${limit}`;
    case "multipleOf":
      return `A multiple of ${limit}`;
    case "minItems":
      return `At least ${limit}`;
    case "maxItems":
      return `At most ${limit}`;
    case "uniqueItems":
      return "Every item once";
    case "enum":
      return Array.isArray(limit) ? `One of ${limit.join(", ")}` : undefined;
    case "type":
      return `Must be ${/^[aeiou]/.test(String(limit)) ? "an" : "a"} ${limit}`;
    case "format":
      return `Not a valid ${limit}`;
    case "pattern": {
      const example = Array.isArray(holder["examples"]) ? holder["examples"][0] : undefined;
      return `Not in the form that is expected${
        example === undefined ? "" : `, such as ${example}`
      }`;
    }
    default:
      return undefined;
  }
}

function at(root: Schema, path: readonly string[]): Schema {
  let current: unknown = root;
  for (const part of path) {
    if (isSchema(current)) {
      const resolved = resolveReference(current, root);
      current = resolved[part.replaceAll("~1", "/").replaceAll("~0", "~")];
    } else if (Array.isArray(current)) current = current[Number(part)];
  }
  return isSchema(current) ? current : {};
}

/** Stored secrets are right by definition; as asterisks they would break patterns. */
function withoutMasks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMasks);
  if (!isSchema(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isMasked(member) ? undefined : withoutMasks(member),
    ]).filter(([, member]) => member !== undefined),
  );
}
