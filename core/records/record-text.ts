import type { AuditRecord, StartedNote } from "./record.ts";

/**
 * A record as JSON the database takes: it has no place for NUL and for halves of surrogate pairs, which callers can
 * put into names and metadata.
 */
export function recordText(record: AuditRecord | StartedNote): string {
  const text = JSON.stringify(record);
  // Only what needs escaping is written with \u, and hardly any text does.
  if (!text.includes("\\u")) return text;
  return JSON.stringify(
    record,
    (_name, value: unknown) =>
      typeof value === "string" ? value.replaceAll("\0", "\ufffd").toWellFormed() : value,
  );
}
