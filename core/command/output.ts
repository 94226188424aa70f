import { stringify } from "yaml";
import { UsageError } from "./command.ts";
import { type Screen, tableOf } from "./table.ts";

/** How data is written. `json` and `yaml` are what the API answers, for scripts. */
export type Format = (typeof formats)[number];

/** All formats. */
export const formats = ["table", "wide", "json", "yaml", "name"] as const;

/** Any object the API answers with. */
export type Row = Readonly<Record<string, unknown>>;

/** Reads the value of `--output`. */
export function readFormat(text: string | undefined): Format {
  if (text === undefined) return "table";
  const format = formats.find((each) => each === text);
  if (format) return format;
  throw new UsageError(`--output must be one of ${formats.join(", ")}, not "${text}"`);
}

/** Writes a list. */
export function writeList(rows: readonly Row[], format: Format, screen?: Screen): string {
  if (format === "json") return `${JSON.stringify(rows, null, 2)}\n`;
  if (format === "yaml") return stringify(rows);
  if (format === "name") return rows.map((row) => `${nameOf(row)}\n`).join("");
  return tableOf(rows, format === "wide", screen);
}

/** Writes one object. */
export function writeOne(row: Row, format: Format, screen?: Screen): string {
  if (format === "json") return `${JSON.stringify(row, null, 2)}\n`;
  if (format === "yaml") return stringify(row);
  return writeList([row], format, screen);
}

/** What an object is called on a command line. */
export function nameOf(row: Row): string {
  for (const member of ["username", "name", "id", "requestId", "planId"]) {
    const value = row[member];
    if (typeof value === "string" && value !== "") return value;
  }
  const id = Object.entries(row).find(([member, value]) =>
    member.endsWith("Id") && typeof value === "string"
  );
  return String(id?.[1] ?? "");
}
