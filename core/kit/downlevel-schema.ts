import type { Json, JsonObject } from "../contract/json.ts";
import type { Translated, Warning } from "../contract/warning.ts";
import { isObject } from "./json-text.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import {
  type SchemaRewriting,
  schemaType,
  schemaTypes,
  writeFormat,
  writeItems,
  writeRequired,
  writeType,
  writeValues,
  type WrittenSchema,
} from "./schema-members.ts";
import { createSchemaReferences, pointerStep } from "./schema-references.ts";
import type { SchemaTarget } from "./schema-target.ts";

/** Elements that references may add in all: recursion over many branches would grow without end. */
const maxInlinedNodes = 10_000;

/** Deepest level of the rewritten schema. */
const maxDepth = 128;

/** Members that name or explain a schema and constrain nothing. */
const silent = new Set(["$schema", "$id", "id", "$anchor", "$comment", "$defs", "definitions"]);

/** Members that are not copied but rewritten by steps of their own. */
const rewritten = new Set(["$ref", "type", "const", "items", "prefixItems", "allOf"]);
const unions = ["anyOf", "oneOf"] as const;

/** Members whose value equals their absence. */
const neutral: Readonly<Record<string, Json>> = {
  additionalProperties: true,
  unevaluatedProperties: true,
  uniqueItems: false,
  readOnly: false,
  writeOnly: false,
  deprecated: false,
};

/** Members of which two may differ when a union melts into its schema: they describe and do not constrain. */
const describing = new Set(["description", "title", "default", "example"]);

/**
 * Rewrites a JSON Schema for a service that takes a part of it (providers-and-dialects.md §3.4): references are
 * inlined, nullable unions take the target's form, `const` becomes an `enum`, and what the target does not take is
 * removed. Every removal is a warning `schema_simplified`, every cut recursion one of `schema_recursion_cut`.
 * Time is linear in the schema and what it refers to, and bounded whatever it refers to.
 *
 * @param path JSON pointer of the schema in the caller's body; the warnings' pointers begin with it
 */
export function downlevelSchema(
  schema: JsonObject,
  target: SchemaTarget,
  path = "",
): Translated<JsonObject> {
  const warnings = new Map<string, Warning>();
  const references = createSchemaReferences(schema);
  const maxRecursion = target.maxRecursion ?? 5;
  /** How often each reference is open on the way down. */
  const open = new Map<string, number>([["#", 1]]);
  let inlining = 0;
  let inlinedNodes = 0;

  const note = (code: string, at: string, action: Warning["action"], detail: string): void => {
    const key = `${code} ${at}`;
    if (!warnings.has(key)) warnings.set(key, { code, path: path + at, action, detail });
  };
  const rewriting: SchemaRewriting = {
    target,
    warn: (at, action, detail) => note("schema_simplified", at, action, detail),
  };
  const { warn } = rewriting;
  const takes = (keyword: string): boolean => target.keywords.has(keyword);

  /** @param part true for a part of `allOf`, whose siblings may declare what it requires */
  const rewrite = (node: Json | undefined, at: string, depth: number, part = false): JsonObject => {
    if (node === false) warn(at, "approximated", "A schema nothing fits becomes one all fits");
    if (!isObject(node)) return {};
    if (inlining > 0) inlinedNodes++;
    if (depth > maxDepth) {
      warn(at, "dropped", `Levels below ${maxDepth} are left out`);
      return shell(node);
    }
    const { $ref } = node;
    if (typeof $ref === "string") return follow($ref, node, at, depth);
    let out = writeMembers(node, at, depth);
    if (Array.isArray(node["allOf"])) out = writeAllOf(out, node["allOf"], at, depth);
    for (const name of unions) {
      if (Array.isArray(node[name])) out = writeUnion(out, name, node[name], at, depth);
    }
    if (!part) writeRequired(out, at, rewriting);
    writeItems(out, at, rewriting);
    return out;
  };

  /** Puts what a reference means in its place; members beside it win. */
  const follow = ($ref: string, node: JsonObject, at: string, depth: number): JsonObject => {
    const { $ref: _ref, ...beside } = node;
    const own = Object.keys(beside).length === 0 ? {} : rewrite(beside, at, depth);
    const found = references.find($ref);
    if (!found) {
      warn(`${at}/$ref`, "dropped", "The reference leads out of the schema or nowhere");
      return own;
    }
    const times = open.get(found.pointer) ?? 0;
    if (times >= maxRecursion || inlinedNodes >= maxInlinedNodes) {
      const detail = times >= maxRecursion
        ? `The recursion is unrolled ${maxRecursion} times`
        : `References are unrolled to ${maxInlinedNodes} elements`;
      note("schema_recursion_cut", `${at}/$ref`, "dropped", detail);
      return { ...shell(found.schema), ...own };
    }
    open.set(found.pointer, times + 1);
    inlining++;
    const inlined = rewrite(found.schema, found.pointer.slice(1), depth + 1);
    inlining--;
    open.set(found.pointer, times);
    return { ...inlined, ...own };
  };

  /** What is left of a schema that is cut off. */
  const shell = (node: Json): JsonObject => {
    if (!isObject(node)) return {};
    const out: WrittenSchema = {};
    const type = typeof node["type"] === "string" ? schemaType(node["type"]) : "";
    if (schemaTypes.has(type)) out["type"] = type;
    if (typeof node["description"] === "string" && takes("description")) {
      out["description"] = node["description"];
    }
    if (type === "array" && target.itemsType) out["items"] = { type: target.itemsType };
    return out;
  };

  /** Writes all members but those that combine schemas. */
  const writeMembers = (node: JsonObject, at: string, depth: number): WrittenSchema => {
    // The type stands first, where readers look for it.
    const out: WrittenSchema = { type: "" };
    for (const [name, value] of Object.entries(node)) {
      if (value === undefined || rewritten.has(name)) continue;
      if (Array.isArray(value) && (name === "anyOf" || name === "oneOf")) continue;
      const below = at + pointerStep(name);
      if (name === "properties" && isObject(value)) {
        out[name] = Object.fromEntries(
          Object.entries(value).map(([property, each]) => [
            property,
            rewrite(each, below + pointerStep(property), depth + 1),
          ]),
        );
      } else if (!takes(name)) {
        if (silent.has(name) || isNeutral(name, value)) continue;
        warn(below, "dropped", `The provider does not take "${name}"`);
      } else if (name === "additionalProperties" && isObject(value)) {
        out[name] = rewrite(value, below, depth + 1);
      } else out[name] = value;
    }
    if (isObject(node["items"])) out["items"] = rewrite(node["items"], `${at}/items`, depth + 1);
    writeTuple(out, node, at, depth);
    writeValues(out, node, at, rewriting);
    writeType(out, node, at, rewriting);
    writeFormat(out, at, rewriting);
    return out;
  };

  /** A tuple the target does not take becomes a list whose elements may be what any of its places may be. */
  const writeTuple = (out: WrittenSchema, node: JsonObject, at: string, depth: number): void => {
    const name = Array.isArray(node["items"]) ? "items" : "prefixItems";
    const places = node[name];
    if (!Array.isArray(places)) return;
    const written = (places as readonly Json[]).map((place, index) =>
      rewrite(place, `${at}/${name}/${index}`, depth + 1)
    );
    if (name === "prefixItems" && takes(name)) {
      out[name] = written;
      return;
    }
    warn(`${at}/${name}`, "approximated", "A tuple is offered as a list");
    const different = distinct([...written, ...(isObject(out["items"]) ? [out["items"]] : [])]);
    if (different.length === 1) out["items"] = different[0]!;
    else if (takes("anyOf")) out["items"] = { anyOf: different };
  };

  const writeAllOf = (
    base: WrittenSchema,
    parts: readonly Json[],
    at: string,
    depth: number,
  ): WrittenSchema =>
    mergeSchemas(
      [base, ...parts.map((part, index) => rewrite(part, `${at}/allOf/${index}`, depth + 1, true))],
      (name) => warn(`${at}/allOf`, "approximated", `Of several "${name}" the first is taken`),
    );

  /** Adds the branches of a union; one that is left after null is taken out melts into the schema itself. */
  const writeUnion = (
    base: WrittenSchema,
    spelled: "anyOf" | "oneOf",
    all: readonly Json[],
    at: string,
    depth: number,
  ): WrittenSchema => {
    const branches = all.map((branch, index) =>
      rewrite(branch, `${at}/${spelled}/${index}`, depth + 1)
    );
    const rest = distinct(branches.filter((branch) => branch["type"] !== "null"));
    const nullToo = branches.some((branch) => branch["type"] === "null");
    const asNullable = nullToo && target.nullable === "nullable";
    const name = spelled === "oneOf" && !takes(spelled) ? "anyOf" : spelled;
    const nullable: WrittenSchema = asNullable ? { nullable: true } : {};
    if (rest.length === 0) return nullToo ? { ...base, type: "null" } : base;
    if (rest.length === 1 && (asNullable || !nullToo)) {
      const melted = mergeSchemas([base, rest[0]!], (member) => {
        if (describing.has(member)) return;
        warn(`${at}/${spelled}`, "approximated", `Of several "${member}" the first is taken`);
      });
      return { ...melted, ...nullable };
    }
    if (!takes(name) || base[name] !== undefined) {
      const detail = takes(name)
        ? "Of several unions that all hold the first is taken"
        : `The provider does not take "${spelled}"`;
      warn(`${at}/${spelled}`, "dropped", detail);
      return { ...base };
    }
    if (name !== spelled) {
      warn(`${at}/oneOf`, "approximated", '"Exactly one of" is offered as "any of"');
    }
    const nulls = nullToo && !asNullable ? [{ type: "null" }] : [];
    return { ...base, [name]: [...rest, ...nulls], ...nullable };
  };

  const value = rewrite(schema, "", 0);
  return { value, warnings: [...warnings.values()] };
}

function isNeutral(name: string, value: Json): boolean {
  if (!Object.hasOwn(neutral, name)) return false;
  return value === neutral[name] ||
    (neutral[name] === true && isObject(value) && Object.keys(value).length === 0);
}

/** Leaves out repeated schemas; only flat ones are compared, which keeps time linear. */
function distinct(schemas: readonly JsonObject[]): JsonObject[] {
  const seen = new Set<string>();
  return schemas.filter((schema) => {
    if (Object.values(schema).some((value) => typeof value === "object")) return true;
    const text = JSON.stringify(schema);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
