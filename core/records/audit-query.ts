import type { AuditDetail, AuditRow } from "@vmx/schemas";
import { matchesWildcard } from "../kit/index.ts";
import type { Statements } from "../store/statements.ts";
import { auditColumn, auditMembers } from "./audit-columns.ts";
import { type AuditFilter, type AuditScope, filterSql, isWildcard } from "./audit-filter.ts";
import { listRow } from "./list-row.ts";
import { decodePayload } from "./payload/encoding.ts";
import type { AuditRecord } from "./record.ts";
import { timeOf } from "./spool/spool.ts";

/** Where a page goes on: behind this row. */
export interface AuditPosition {
  readonly timestamp: Date;
  readonly requestId: string;
}

const columnsWith = (members: readonly (keyof AuditRecord)[]) =>
  members.map((member) => `${auditColumn(member)} as "${member}"`).join(", ");
const allColumns = columnsWith(auditMembers);
const listColumns = columnsWith(
  auditMembers.filter((member) =>
    member !== "routing" && member !== "auditClass" && member !== "usageClass" &&
    member !== "payloadCapture"
  ),
);
const newestFirst = "order by timestamp desc, request_id desc";
const facetDays = 30;
const facetRows = 50_000;
const facetValues = 200;

/** Reads rows, newest first. Payloads and traces are not touched. */
export async function listAudit(
  { read, schema }: Statements,
  scope: AuditScope,
  filter: AuditFilter,
  options: { readonly limit: number; readonly after?: AuditPosition | undefined; now: number },
): Promise<AuditRow[]> {
  const { model, ...others } = filter;
  const models = model !== undefined && isWildcard(model)
    ? (await modelsInUse({ read, schema }, scope)).filter((name) => matchesWildcard(model, name))
    : undefined;
  if (models?.length === 0) return [];
  const { sql, values } = filterSql(models ? { ...others, models } : filter, scope, options.now);
  let after = "";
  if (options.after) {
    values.push(options.after.timestamp, options.after.requestId);
    after = ` and (timestamp, request_id) < ($${values.length - 1}, $${values.length})`;
  }
  values.push(options.limit);
  const rows = await read<StoredRecord>(
    `select ${listColumns} from ${schema}.audit where ${sql}${after} ${newestFirst} ` +
      `limit $${values.length}`,
    values,
  );
  return rows.map((row) => listRow(present(row)));
}

/** Every model an environment's rows name, found by stepping through an index from one to the next. */
async function modelsInUse(
  { read, schema }: Pick<Statements, "read" | "schema">,
  { environmentId, oldest }: AuditScope,
): Promise<string[]> {
  const next = (behind: string) =>
    `select model from ${schema}.audit where environment_id = $1 and timestamp >= $2 ` +
    `and model is not null ${behind} order by model limit 1`;
  const rows = await read<{ model: string }>(
    `with recursive used as ((${next("")}) union all select (${next("and model > used.model")}) ` +
      "from used where used.model is not null) select model from used where model is not null",
    [environmentId, oldest],
  );
  return rows.map(({ model }) => model);
}

/** Reads one row with all that was kept; undefined when there is none. */
export async function readAudit(
  { read, schema }: Statements,
  { environmentId, oldest }: AuditScope,
  requestId: string,
): Promise<AuditDetail | undefined> {
  const at = new Date(timeOf(requestId));
  if (!(at >= oldest)) return undefined;
  const [stored] = await read<StoredRecord>(
    `select ${allColumns} from ${schema}.audit ` +
      "where timestamp = $1 and request_id = $2 and environment_id = $3",
    [at, requestId, environmentId],
  );
  if (!stored) return undefined;
  const record = present(stored);
  const [payload] = await read<{ encoding: string; body: Buffer | null; state: PayloadState }>(
    `select encoding, body, state from ${schema}.audit_payloads ` +
      "where timestamp = $1 and request_id = $2 and audit_class = $3",
    [at, requestId, record.auditClass],
  );
  const { auditClass: _a, usageClass: _u, payloadCapture: _p, ...row } = record;
  return {
    ...row,
    payloadState: { ...absent(record), ...payload?.state },
    ...(payload?.body ? await decodePayload(payload.encoding, payload.body) as object : {}),
  };
}

/** Keys of metadata in use: those of the newest rows of the last 30 days, sorted. */
export async function metadataKeys(
  { read, schema }: Statements,
  scope: AuditScope,
  now: number,
): Promise<string[]> {
  const rows = await read<{ key: string }>(
    `select distinct jsonb_object_keys(metadata) as key from (${newestMetadata(schema)}) newest ` +
      `order by key limit ${facetValues}`,
    [scope.environmentId, facetStart(scope, now)],
  );
  return rows.map(({ key }) => key);
}

/** Values of a key of metadata, the most frequent first. */
export async function metadataValues(
  { read, schema }: Statements,
  scope: AuditScope,
  key: string,
  now: number,
): Promise<string[]> {
  const rows = await read<{ value: string }>(
    `select metadata ->> $3 as value from (${newestMetadata(schema)}) newest ` +
      `where metadata ? $3 group by value order by count(*) desc, value limit ${facetValues}`,
    [scope.environmentId, facetStart(scope, now), key],
  );
  return rows.map(({ value }) => value);
}

// Bounded by rows as well: the lists help people to type, they are no statistics.
function newestMetadata(schema: string): string {
  return `select metadata from ${schema}.audit where environment_id = $1 and timestamp >= $2 ` +
    `and metadata <> '{}' order by timestamp desc limit ${facetRows}`;
}

function facetStart({ oldest }: AuditScope, now: number): Date {
  return new Date(Math.max(now - facetDays * 86_400_000, oldest.getTime()));
}

type PayloadState = NonNullable<AuditDetail["payloadState"]>;

/** A row as the driver answers it. */
type StoredRecord = Omit<AuditRecord, "timestamp" | "ratedAt" | "revision"> & {
  readonly timestamp: Date;
  readonly ratedAt: Date | null;
  readonly revision: string | null;
};

function present(row: StoredRecord): AuditRecord {
  return {
    ...row,
    timestamp: row.timestamp.toISOString(),
    ratedAt: row.ratedAt?.toISOString() ?? null,
    revision: row.revision === null ? null : Number(row.revision),
  };
}

/** Why a member is not there, where nothing else was noted. */
function absent({ payloadCapture, status }: AuditRecord): PayloadState {
  const cause = payloadCapture === "none"
    ? "off by policy"
    : payloadCapture === "dropped"
    ? "not captured: the spool was nearly full"
    : status === "interrupted"
    ? "not captured: the process ended"
    : "not captured: there is none";
  return Object.fromEntries(
    ["requestBody", "mergedBody", "providerRequestBody", "responseBody", "responseHeaders"].map(
      (member) => [member, cause],
    ),
  );
}
