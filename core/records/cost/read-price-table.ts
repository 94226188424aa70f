import type { PriceEntry } from "@vmx/schemas";
import { GatewayError } from "../../contract/errors.ts";

const texts = ["provider", "model", "serviceTier", "source", "checkedOn"] as const;
const fees = ["pricePerRequest", "pricePerWebSearch"] as const;
const classes = [
  "inputUncached",
  "inputCacheRead",
  "inputCacheWrite5m",
  "inputCacheWrite1h",
  "output",
  "reasoning",
  "audioInput",
  "audioOutput",
] as const;
const known: readonly string[] = [...texts, ...fees, ...classes];
const needed = ["provider", "model", "inputUncached", "output"];

/**
 * Reads price entries from a table (RFC 4180) whose header names their members; empty cells are absent members.
 * Texts and ranges of numbers are checked by the schema afterwards.
 *
 * Throws `VALIDATION_FAILED` naming line and column.
 */
export function readPriceTable(text: string): unknown[] {
  const [header, ...rows] = readRows(text);
  if (!header) refuse("it is empty");
  const unknown = header.find((name) => !known.includes(name));
  if (unknown !== undefined) refuse(`the header names "${unknown.slice(0, 64)}"`);
  const missing = needed.find((name) => !header.includes(name));
  if (missing !== undefined) refuse(`the header lacks "${missing}"`);
  if (new Set(header).size < header.length) refuse("the header names a column twice");
  return rows.map((cells, index) => {
    const line = index + 2;
    if (cells.length !== header.length) {
      refuse(`row ${line} has ${cells.length} cells, the header ${header.length}`);
    }
    const row = new Map(header.map((name, at) => [name, cells[at]!.trim()]));
    const number = (name: string) => {
      const cell = row.get(name)!;
      if (/^\d{1,15}$/.test(cell)) return Number(cell);
      refuse(`row ${line}: ${name} "${cell.slice(0, 64)}" is not a whole number of micro-units`);
    };
    const present = <Name extends string>(names: readonly Name[]) =>
      names.filter((name) => row.get(name));
    return {
      ...Object.fromEntries(present(texts).map((name) => [name, row.get(name)!])),
      ...Object.fromEntries(present(fees).map((name) => [name, number(name)])),
      pricePerMillion: Object.fromEntries(present(classes).map((name) => [name, number(name)])),
    } as Partial<PriceEntry>;
  });
}

function readRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (at++;; at++) {
        if (at >= text.length) refuse("a quoted cell does not end");
        if (text[at] !== '"') cell += text[at];
        else if (text[at + 1] === '"') cell += text[at++];
        else break;
      }
      at++;
      if (at < text.length && !",\r\n".includes(text[at]!)) refuse("text follows a quoted cell");
    } else {
      const end = text.slice(at).search(/[,\r\n]/);
      cell = end < 0 ? text.slice(at) : text.slice(at, at + end);
      at += cell.length;
    }
    row.push(cell);
    if (text[at] === ",") {
      at++;
      if (at < text.length) continue;
      row.push("");
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    at++;
    if (row.length > 1 || row[0]!.trim() !== "") rows.push(row);
    row = [];
  }
  return rows;
}

function refuse(reason: string): never {
  throw new GatewayError("VALIDATION_FAILED", `Cannot read the price table: ${reason}`, {
    faults: [{ path: "/csv", code: "csv", message: reason }],
  });
}
