import type { Json, JsonObject } from "../contract/json.ts";
import { isObject } from "./json-text.ts";

/*
 * Some services sign a tool call and want the signature back with it, but most callers return of a call only its id.
 * So the signature travels inside the id, and is taken out again before any service sees it.
 */

const marker = "__vmxsig_";

/** A call id and what was packed into it. */
export interface MarkedId {
  /** The id without its mark. */
  readonly id: string;
  /** The signature, exactly as the service wrote it; undefined when the mark was cut or altered. */
  readonly signature?: string;
}

/**
 * Packs a signature into a tool-call id. The result holds letters, digits, `-` and `_` beside what the id holds.
 *
 * @example
 * readSignature(markSignature("call_1", "c2ln")) // { id: "call_1", signature: "c2ln" }
 */
export function markSignature(id: string, signature: string): string {
  // Base64 keeps its length in the other alphabet; any other text grows by a third.
  const bytes = Buffer.from(signature, "base64");
  return bytes.toString("base64") === signature
    ? `${id}${marker}b${bytes.toString("base64url")}`
    : `${id}${marker}t${Buffer.from(signature).toString("base64url")}`;
}

/** Takes an id and its mark apart; undefined when it bears none. */
export function readSignature(id: string): MarkedId | undefined {
  const at = id.indexOf(marker);
  if (at < 0) return undefined;
  const bare = id.slice(0, at);
  const form = id[at + marker.length];
  const packed = id.slice(at + marker.length + 1);
  if (packed === "" || !/^[A-Za-z0-9_-]*$/.test(packed)) return { id: bare };
  const bytes = Buffer.from(packed, "base64url");
  if (form === "b") return { id: bare, signature: bytes.toString("base64") };
  return form === "t" ? { id: bare, signature: bytes.toString() } : { id: bare };
}

/** A tool-call id without its mark. Every dialect that does not read the mark writes ids this way to a service. */
export function stripSignature(id: string): string {
  const at = id.indexOf(marker);
  return at < 0 ? id : id.slice(0, at);
}

/** Whether a body's text may hold marks; cheap enough for every request. */
export function mayHoldSignatures(text: string): boolean {
  return text.includes(marker);
}

/**
 * A body without the marks in its tool-call ids, at whatever depth they stand; the same object when there are none.
 * Meant for bodies that are passed through: no service takes ids as long as a mark makes them.
 */
export function withoutSignatures(body: JsonObject): JsonObject {
  return stripObject(body, 0);
}

/** Members that hold a tool call's id, in the dialects callers speak. */
const idMembers: ReadonlySet<string> = new Set([
  "id",
  "tool_call_id",
  "call_id",
  "tool_use_id",
  "toolUseId",
]);

/** Messages hold calls a few levels down; what lies deeper is content. */
const maxDepth = 8;

function strip(value: Json, depth: number): Json {
  if (depth > maxDepth) return value;
  if (isObject(value)) return stripObject(value, depth);
  if (!Array.isArray(value)) return value;
  let changed: Json[] | undefined;
  (value as readonly Json[]).forEach((each, at) => {
    const stripped = strip(each, depth + 1);
    if (stripped !== each) (changed ??= [...value as Json[]])[at] = stripped;
  });
  return changed ?? value;
}

function stripObject(object: JsonObject, depth: number): JsonObject {
  let changed: Record<string, Json | undefined> | undefined;
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value === undefined || value === null) continue;
    const stripped = typeof value === "string"
      ? (idMembers.has(name) ? stripSignature(value) : value)
      : strip(value, depth + 1);
    if (stripped !== value) (changed ??= { ...object })[name] = stripped;
  }
  return changed ?? object;
}
