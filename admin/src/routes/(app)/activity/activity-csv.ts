import type { Activity } from "@vmx/sdk";

const columns:
  readonly (readonly [name: string, read: (entry: Activity, who: Names) => unknown])[] = [
    ["time (UTC)", ({ at }) => at],
    ["action", ({ action }) => action],
    ["entity type", ({ entity }) => entity.type],
    ["entity", ({ entity }) => entity.name],
    ["entity id", ({ entity }) => entity.id],
    ["actor", ({ actor }, who) => actor.userId ? who(actor.userId) ?? actor.userId : "the gateway"],
    ["via", ({ actor }) => actor.via],
    ["source address", ({ sourceIp }) => sourceIp],
    ["request id", ({ requestId }) => requestId],
    ["revision", ({ revision }) => revision],
    ["diff", ({ diff }) => diff.length === 0 ? "" : JSON.stringify(diff)],
  ];

/** Names users where they are known. */
export type Names = (userId: string) => string | undefined;

/** Entries as a file for spreadsheets (RFC 4180); nothing in it is taken for a formula. */
export function activityCsv(entries: readonly Activity[], nameOf: Names): string {
  const lines = [
    columns.map(([name]) => cell(name)),
    ...entries.map((entry) => columns.map(([, read]) => cell(read(entry, nameOf)))),
  ];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

function cell(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
