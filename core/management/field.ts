import { GatewayError } from "../contract/errors.ts";

/** A name as it is stored: trimmed, and composed, so that equal-looking names are equal. */
export function cleanName(name: string): string {
  return name.normalize("NFC").trim();
}

/** Whether two names are the same to people: letter case does not count. */
export function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/**
 * Reads a timestamp of a body or query; null and undefined pass.
 *
 * Throws `VALIDATION_FAILED` for a moment no calendar has, and beyond the years 1970 to 9999.
 */
export function parseTimestamp(text: string | null | undefined, path: string): Date | null {
  if (text === null || text === undefined) return null;
  const date = new Date(text);
  const year = date.getUTCFullYear();
  if (!Number.isNaN(date.getTime()) && year >= 1970 && year <= 9999) return date;
  throw new GatewayError("VALIDATION_FAILED", `Cannot accept the time at ${path}: no such moment`, {
    faults: [{ path, code: "format", message: "must be a moment between 1970 and 9999" }],
  });
}

/** Whether a text is a UUID as the API writes them. */
export function isUuid(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text);
}
