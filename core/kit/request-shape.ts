import { GatewayError } from "../contract/errors.ts";
import type { Json, JsonObject } from "../contract/json.ts";
import { isObject } from "./json-text.ts";

/**
 * What a member of a request must be where it is there and not null. Members a shape does not name are not looked at.
 */
export type Shape =
  | "string"
  | "number"
  | "boolean"
  | "object"
  /** One of these words. */
  | { readonly words: readonly string[] }
  | { readonly each: Shape }
  | { readonly either: readonly Shape[] }
  | ObjectShape;

/** An object with members of known shapes. */
export interface ObjectShape {
  readonly members: Readonly<Record<string, Shape>>;
  /** Members that must be there. */
  readonly needs?: readonly string[];
  /** Further members by the object's `type`. */
  readonly byType?: Readonly<Record<string, ObjectShape>>;
}

/**
 * Holds a request to a shape before it is read into other words, because a member of the wrong type would be lost
 * there without a sound.
 *
 * Throws `invalid_request` that names the member in `param`.
 */
export function checkShape(body: JsonObject, shape: ObjectShape): void {
  checkObject(body, shape, "");
}

function checkObject(value: JsonObject, shape: ObjectShape, path: string): void {
  const { members, needs = [], byType } = shape;
  for (const name of needs) {
    if (value[name] === undefined || value[name] === null) {
      throw refusal(step(path, name), "is missing");
    }
  }
  for (const [name, member] of Object.entries(members)) {
    const found = value[name];
    if (found !== undefined && found !== null) check(found, member, step(path, name));
  }
  const type = value["type"];
  if (!byType || typeof type !== "string" || !Object.hasOwn(byType, type)) return;
  checkObject(value, byType[type]!, path);
}

function check(value: Json, shape: Shape, path: string): void {
  const fitting = alternatives(shape).find((each) => hasKind(value, each));
  if (fitting === undefined) {
    throw refusal(path, `must be ${wanted(shape)}, not ${describe(value)}`);
  }
  if (typeof fitting === "string" || "words" in fitting) return;
  if ("each" in fitting) {
    (value as readonly Json[]).forEach((each, at) => check(each, fitting.each, `${path}[${at}]`));
  } else if ("members" in fitting) checkObject(value as JsonObject, fitting, path);
}

function alternatives(shape: Shape): readonly Shape[] {
  return typeof shape === "object" && "either" in shape ? shape.either : [shape];
}

function hasKind(value: Json, shape: Shape): boolean {
  if (shape === "object") return isObject(value);
  const kind = typeof value;
  if (typeof shape === "string") return kind === shape;
  if ("words" in shape) return typeof value === "string" && shape.words.includes(value);
  return "each" in shape ? Array.isArray(value) : isObject(value);
}

function wanted(shape: Shape): string {
  return alternatives(shape).map((each) => {
    if (each === "object" || (typeof each === "object" && "members" in each)) return "an object";
    if (typeof each === "string") return each === "boolean" ? "true or false" : `a ${each}`;
    return "words" in each ? each.words.map((word) => `"${word}"`).join(", ") : "an array";
  }).join(" or ");
}

function describe(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return `"${value.slice(0, 40)}"`;
  return isObject(value) ? "an object" : `a ${typeof value}`;
}

function step(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function refusal(param: string, reason: string): GatewayError {
  return new GatewayError("invalid_request", `Cannot read the request: ${param} ${reason}`, {
    param,
  });
}
