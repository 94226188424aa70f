import process from "node:process";
import type { AuditRow, Vmx } from "@vmx/sdk";
import { stringify } from "yaml";
import { momentBefore } from "../age.ts";
import { type Command, type Flags, type Input, UsageError } from "../command.ts";
import { operations } from "../entities.ts";
import { writeOne } from "../output.ts";
import { flagsOfQuery, readQuery } from "../query.ts";
import { paintState } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { fileFlag, writeStream } from "../write-stream.ts";

const metadataFlag: Flags = {
  metadata: {
    type: "string",
    multiple: true,
    value: "KEY=VALUE",
    description: "only requests with this metadata",
  },
  since: {
    type: "string",
    value: "AGE",
    description: "only requests younger than this, such as 30m, 6h or 7d",
  },
};

/** `vmx audit tail`. */
export const auditTail: Command = {
  name: "audit tail",
  summary: "shows requests as they end, until it is stopped",
  details: [
    "One line per request; with -o json one JSON object per line. A connection that breaks is taken up again where " +
    "it broke.",
  ],
  flagsFor: () => ({
    ...filterFlags("streamAudit"),
    all: { type: "boolean", description: "shows starts and first tokens as well" },
  }),
  examples: [
    "vmx audit tail --resource-id chat",
    "vmx audit tail --status error -o json | jq .errorCode",
  ],
  remote: true,
  async run(input) {
    const { terminal, format } = input;
    const stop = new AbortController();
    process.once("SIGINT", () => stop.abort());
    process.once("SIGTERM", () => stop.abort());
    const query = readFilters(input, "streamAudit") as Parameters<Vmx["audit"]["stream"]>[0];
    const events = (await input.vmx()).audit.stream(query, {
      signal: stop.signal,
      onState: (state) =>
        terminal.say(state === "live" ? "Listening." : "Connection lost; trying again."),
    });
    for await (const { event, data: { row } } of events) {
      if (!row || (event !== "finished" && !input.flag("all"))) continue;
      terminal.out(
        format === "table" || format === "wide"
          ? `${lineOf(event, row as Partial<AuditRow>, terminal)}\n`
          : format === "name"
          ? `${row.requestId}\n`
          : `${format === "yaml" ? `---\n${stringify(row).trimEnd()}` : JSON.stringify(row)}\n`,
      );
    }
  },
};

/** `vmx audit show`. */
export const auditShow: Command = {
  name: "audit show",
  summary: "tells everything about a request: legs, tokens, cost, why it went where it went",
  operands: "REQUEST-ID",
  examples: ["vmx audit show 019b7c0e-8f6a-7000-8000-000000000000 -o json"],
  remote: true,
  async run({ positionals: [requestId], vmx, format, terminal }) {
    if (requestId === undefined) {
      throw new UsageError("Name the request: vmx audit show REQUEST-ID");
    }
    const row = await (await vmx()).audit.get(requestId);
    terminal.out(
      format === "table" || format === "wide" ? stringify(row) : writeOne({ ...row }, format),
    );
  },
};

/** `vmx audit export`. */
export const auditExport: Command = {
  name: "audit export",
  summary: "writes requests as CSV or as lines of JSON, to standard output or to a file",
  flagsFor: () => ({ ...filterFlags("exportAudit"), ...fileFlag }),
  examples: [
    "vmx audit export --since 7d --format csv -f requests.csv",
    "vmx audit export --status error --fields requestId,errorCode | jq .errorCode",
  ],
  remote: true,
  async run(input) {
    const query = readFilters(input, "exportAudit") as Parameters<Vmx["audit"]["export"]>[0];
    const { data } = await (await input.vmx()).audit.export(query);
    await writeStream(input, data);
  },
};

type FilterOperation = "streamAudit" | "exportAudit";

function filterFlags(operation: FilterOperation): Flags {
  const found = operations()[operation];
  return { ...(found ? flagsOfQuery(found) : {}), ...metadataFlag };
}

function readFilters(input: Input, operation: FilterOperation): Record<string, unknown> {
  const query = readQuery(input, operations()[operation]!) ?? {};
  const since = input.text("since");
  if (since !== undefined) query["from"] = momentBefore(since);
  for (const text of input.texts("metadata")) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined) throw new UsageError("--metadata takes KEY=VALUE, such as tier=gold");
    query[`metadata.${key}`] = value;
  }
  return query;
}

function lineOf(event: string, row: Partial<AuditRow>, { colours }: Terminal): string {
  const took = row.totalDurationMs;
  const state = row.status ?? event;
  return [
    row.timestamp?.slice(11, 19) ?? "",
    paintState(state.padEnd(11).replace(/\p{Cc}/gu, " "), state, colours),
    String(row.statusCode ?? "-").padEnd(3),
    ...[
      row.resourceName ?? "-",
      `${row.provider ?? "-"}/${row.model ?? "-"}`,
      typeof took === "number" ? `${took} ms` : "-",
      row.errorCode ?? "",
      row.requestId ?? "",
    ].map((part) => part.replace(/\p{Cc}/gu, " ")),
  ].filter((part) => part !== "").join("  ");
}
