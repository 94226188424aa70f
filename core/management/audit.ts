import {
  AuditDetail,
  auditFilterQuery,
  AuditLiveEvent,
  AuditRow,
  listOf,
  pageOf,
  pageQuery,
} from "@vmx/schemas";
import Type from "typebox";
import { decideAccess } from "../access/authorize.ts";
import { GatewayError } from "../contract/errors.ts";
import { exportAudit, exportFields } from "../records/audit-export.ts";
import { type AuditFilter, filterMatches } from "../records/audit-filter.ts";
import { listAudit, metadataKeys, metadataValues } from "../records/audit-query.ts";
import type { LiveMessage } from "../records/live.ts";
import { change } from "../store/change.ts";
import { auditResource, auditScope, findAuditRow } from "./audit-row.ts";
import { pageOfRows, readCursor, writeCursor } from "./cursor.ts";
import { environmentPath } from "./environments.ts";
import { EventStream, type StreamEvent } from "./event-stream.ts";
import { parseTimestamp } from "./field.ts";
import { FileStream } from "./file-stream.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";
import { resourceFor } from "./scope.ts";

const tag = "Audit";
const resource = auditResource;
const base = `${environmentPath}/audit`;
const open = {
  additionalProperties: false,
  patternProperties: {
    "^metadata\\.[A-Za-z0-9_.-]{1,64}$": { type: "string", maxLength: 512 },
  },
};
const filterQuery = Type.Object(auditFilterQuery, open);
const listQuery = Type.Object({ ...pageQuery, ...auditFilterQuery }, open);
const exportQuery = Type.Object({
  format: Type.Optional(Type.Enum(["ndjson", "csv"], { default: "ndjson" })),
  fields: Type.Optional(Type.String({
    maxLength: 2_000,
    description: "Names of members to write, separated by commas; all when absent",
  })),
  ...auditFilterQuery,
}, open);
const valuesQuery = Type.Object(
  { key: Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$" }) },
  { additionalProperties: false },
);
const texts = listOf(Type.String());
const maxWaitingEvents = 1_000;

type Filters = Type.Static<typeof filterQuery>;

/** Operations on the audit of requests. */
export const auditRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: base,
    operationId: "listAudit",
    summary: "Lists requests, newest first; those of the last 24 hours when no range is given",
    tag,
    access: { action: "audit:list", resource },
    query: listQuery,
    answer: pageOf(AuditRow),
    problems: ["INVALID_CURSOR"],
    async handler({ query, services, environment }) {
      const { limit = 50, cursor } = query;
      const position = cursor ? readCursor(cursor, ["date", "uuid"] as const) : undefined;
      const now = services.clock.now();
      const rows = await listAudit(
        services.database.statements,
        auditScope(environment, now),
        filterOf(query),
        {
          limit: limit + 1,
          after: position && { timestamp: position[0], requestId: position[1] },
          now,
        },
      );
      const { rows: data, nextCursor } = pageOfRows(
        rows,
        limit,
        ({ timestamp, requestId }) => writeCursor([timestamp, requestId]),
      );
      return { data, nextCursor };
    },
  }),

  defineRoute({
    method: "GET",
    path: `${base}/stream`,
    operationId: "streamAudit",
    summary: "Follows requests as they happen; goes on behind the header Last-Event-ID",
    tag,
    access: { action: "audit:list", resource },
    query: filterQuery,
    answer: AuditLiveEvent,
    events: AuditLiveEvent,
    handler({ query, services, environment, lastEventId }) {
      const matches = filterMatches(filterOf(query));
      const { environmentId } = environment;
      return new EventStream((signal) =>
        follow(
          (listener) =>
            services.records.live.subscribe({ environmentId, matches, lastEventId, listener }),
          signal,
        )
      );
    },
  }),

  defineRoute({
    method: "GET",
    path: `${base}/export`,
    operationId: "exportAudit",
    summary: "Writes all chosen requests as NDJSON or CSV",
    tag,
    access: { action: "audit:export", resource },
    query: exportQuery,
    answer: Type.String(),
    answerTypes: ["application/x-ndjson", "text/csv"],
    async handler({ query, services, environment, workspace, actor }) {
      const format = query.format ?? "ndjson";
      const fields = query.fields?.split(",").map((name) => name.trim());
      const unknown = fields?.find((name) => !exportFields.includes(name));
      if (unknown !== undefined) {
        throw new GatewayError(
          "VALIDATION_FAILED",
          `Cannot accept the query: fields names "${unknown}", which is no member of a row`,
          {
            faults: [{ path: "query/fields", code: "enum", message: `"${unknown}" is not known` }],
          },
        );
      }
      const now = services.clock.now();
      const scope = auditScope(environment, now);
      // The end is fixed, so that pages do not run after new rows.
      const filter = { ...filterOf(query), to: filterOf(query).to ?? new Date(now) };
      await change(services.database, actor, (writing) =>
        Promise.resolve(writing.record({
          action: "audit:export",
          entity: { type: "audit", id: environment.environmentId, name: environment.name },
          workspaceId: workspace.workspaceId,
          environmentId: environment.environmentId,
          diff: [{ format, filter: query }],
        })));
      return new FileStream(
        format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson; charset=utf-8",
        `audit-${new Date(now).toISOString().slice(0, 10)}.${format}`,
        (signal) =>
          exportAudit(
            format,
            fields,
            (limit, after) =>
              listAudit(services.database.statements, scope, filter, { limit, after, now }),
            signal,
          ),
      );
    },
  }),

  defineRoute({
    method: "GET",
    path: `${base}/metadata-keys`,
    operationId: "listAuditMetadataKeys",
    summary: "Lists keys of metadata in use",
    tag,
    access: { action: "audit:list", resource },
    answer: texts,
    async handler({ services, environment }) {
      const now = services.clock.now();
      const scope = auditScope(environment, now);
      return { data: await metadataKeys(services.database.statements, scope, now) };
    },
  }),

  defineRoute({
    method: "GET",
    path: `${base}/metadata-values`,
    operationId: "listAuditMetadataValues",
    summary: "Lists values of a key of metadata, the most frequent first",
    tag,
    access: { action: "audit:list", resource },
    query: valuesQuery,
    answer: texts,
    async handler({ query, services, environment }) {
      const now = services.clock.now();
      const scope = auditScope(environment, now);
      return { data: await metadataValues(services.database.statements, scope, query.key, now) };
    },
  }),

  defineRoute({
    method: "GET",
    path: `${base}/{requestId}`,
    operationId: "getAudit",
    summary: "Reads a request with all that was kept of it",
    tag,
    access: { action: "audit:get", resource },
    answer: AuditDetail,
    problems: ["AUDIT_ROW_NOT_FOUND"],
    async handler(context) {
      const row = await findAuditRow(context, context.params["requestId"]!);
      return mayReadPayload(context) ? row : withoutPayload(row);
    },
  }),
];

function mayReadPayload(
  { snapshot, principal, workspace, environment }: RouteContext<unknown, unknown, Item>,
): boolean {
  const target = resourceFor(resource, { workspace, environment });
  return decideAccess(snapshot, principal, "audit:read-payload", target).allowed;
}

function withoutPayload(row: AuditDetail): AuditDetail {
  const {
    requestBody: _a,
    mergedBody: _b,
    providerRequestBody: _c,
    responseBody: _d,
    responseFrames: _e,
    responseHeaders: _f,
    ...rest
  } = row;
  return rest;
}

function filterOf(query: Filters): AuditFilter {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(query)) {
    if (name.startsWith("metadata.")) metadata[name.slice("metadata.".length)] = String(value);
  }
  return {
    ...query,
    from: parseTimestamp(query.from, "query/from") ?? undefined,
    to: parseTimestamp(query.to, "query/to") ?? undefined,
    metadata,
  };
}

/** Hands on what a subscription tells. A reader too slow for it misses events and is told so. */
async function* follow(
  subscribe: (listener: (message: LiveMessage) => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let waiting: LiveMessage[] = [];
  let wake = () => {};
  const end = subscribe((message) => {
    if (waiting.length < maxWaitingEvents) waiting.push(message);
    else waiting = [{ event: "gap" }];
    wake();
  });
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const messages = waiting;
      waiting = [];
      for (const message of messages) yield toStreamEvent(message);
      if (waiting.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    end();
  }
}

function toStreamEvent(message: LiveMessage): StreamEvent {
  if (message.event === "gap") return { event: "gap", data: {} };
  if (message.event === "counts") return { event: "counts", data: { counts: message.counts } };
  return { event: message.event, id: message.id, data: { row: message.row } };
}
