import type { Measurement } from "@vmx/core/contract";
import { fractionalMeasures, metadataMember, symbols, texts, wholeMeasures } from "./columns.ts";

/** Writes measurements as line protocol with times in milliseconds. */
export function writeLines(table: string, batch: readonly Measurement[]): string {
  return batch.map((measurement) => `${writeLine(table, measurement)}\n`).join("");
}

function writeLine(table: string, { at, leg, dimensions, measures }: Measurement): string {
  const tags = symbols.flatMap((name) => {
    const value = dimensions[name];
    return value ? [`,${name}=${symbol(value)}`] : [];
  });
  const fields = [`requestId=${text(dimensions["requestId"] ?? "")}`, `leg=${leg}i`];
  for (const name of texts) {
    if (dimensions[name]) fields.push(`${name}=${text(dimensions[name])}`);
  }
  const status = Number(dimensions["statusCode"]);
  if (Number.isSafeInteger(status)) fields.push(`statusCode=${status}i`);
  const metadata = metadataOf(dimensions);
  if (metadata) fields.push(`metadata=${text(metadata)}`);
  for (const name of wholeMeasures) {
    const value = measures[name] ?? null;
    if (value !== null) fields.push(`${name}=${Math.round(value)}i`);
  }
  for (const name of fractionalMeasures) {
    const value = measures[name] ?? null;
    if (value !== null) fields.push(`${name}=${value}`);
  }
  return `${table}${tags.join("")} ${fields.join(",")} ${at}`;
}

function metadataOf(dimensions: Measurement["dimensions"]): string | undefined {
  const members = Object.entries(dimensions)
    .filter(([name, value]) => name.startsWith("metadata.") && value !== undefined)
    .map(([name, value]) => [metadataMember(name.slice("metadata.".length)), value] as const);
  return members.length > 0 ? JSON.stringify(Object.fromEntries(members)) : undefined;
}

/** A line break would end the line, whatever stands before it. */
function symbol(value: string): string {
  return printable(value).replace(/[\\, =]/g, "\\$&");
}

function text(value: string): string {
  return `"${printable(value).replace(/[\\"]/g, "\\$&")}"`;
}

function printable(value: string): string {
  return value.toWellFormed().replace(/\p{Cc}/gu, " ");
}
