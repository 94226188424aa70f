import { GatewayError } from "../contract/errors.ts";

/** Makes an opaque cursor of the last row's sorting values. */
export function writeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

/**
 * Reads a cursor whose values have the given types.
 *
 * Throws `INVALID_CURSOR`.
 */
export function readCursor<Kinds extends readonly ("date" | "uuid" | "text" | "integer")[]>(
  cursor: string,
  kinds: Kinds,
): {
  [Index in keyof Kinds]: Kinds[Index] extends "date" ? Date
    : Kinds[Index] extends "integer" ? number
    : string;
} {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    refuse();
  }
  if (!Array.isArray(values) || values.length !== kinds.length) refuse();
  return values.map((value: unknown, index) => {
    const kind = kinds[index]!;
    if (!fits(value, kind)) refuse();
    return kind === "date" ? new Date(value as string) : value;
  }) as never;
}

/** Cuts a page out of rows that were read with one more than the limit. */
export function pageOfRows<Row>(
  rows: readonly Row[],
  limit: number,
  cursor: (last: Row) => string,
): { rows: readonly Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > limit && last ? cursor(last) : null };
}

function fits(value: unknown, kind: "date" | "uuid" | "text" | "integer"): boolean {
  if (kind === "integer") return Number.isSafeInteger(value);
  if (typeof value !== "string" || value.includes("\0") || !value.isWellFormed()) return false;
  if (kind === "date") {
    return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) && !Number.isNaN(Date.parse(value));
  }
  return kind === "text" || /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(value);
}

function refuse(): never {
  throw new GatewayError("INVALID_CURSOR", "The cursor is not one this list gave");
}
