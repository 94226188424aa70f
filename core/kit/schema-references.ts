import type { Json, JsonObject } from "../contract/json.ts";

/** A schema a reference leads to. */
export interface FoundSchema {
  /** The reference in one spelling, such as `#/$defs/Node`. */
  readonly pointer: string;
  readonly schema: Json;
}

/** Finds what the references inside one schema lead to; each is looked up once. */
export function createSchemaReferences(
  root: JsonObject,
): { find(reference: string): FoundSchema | undefined } {
  const known = new Map<string, FoundSchema | undefined>();
  return {
    find(reference) {
      if (!known.has(reference)) known.set(reference, resolve(root, reference));
      return known.get(reference);
    },
  };
}

/** One step of a JSON pointer (RFC 6901). */
export function pointerStep(name: string): string {
  return `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function resolve(root: JsonObject, reference: string): FoundSchema | undefined {
  if (reference === "" || reference === "#") return { pointer: "#", schema: root };
  if (!reference.startsWith("#/")) return undefined;
  let at: Json | undefined = root;
  let pointer = "#";
  for (const step of reference.slice(2).split("/")) {
    const name = decode(step).replaceAll("~1", "/").replaceAll("~0", "~");
    pointer += pointerStep(name);
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, Json | undefined>>)[name];
  }
  return at === undefined ? undefined : { pointer, schema: at };
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    // A stray percent sign stands for itself.
    return step;
  }
}
