import type { AuditRecord } from "./record.ts";

/** Types of the audit table's columns by the member of the record they hold. */
export const auditColumnTypes = {
  requestId: "uuid",
  timestamp: "timestamptz",
  auditClass: "smallint",
  usageClass: "smallint",
  workspaceId: "uuid",
  environmentId: "uuid",
  type: "text",
  endpoint: "text",
  stream: "boolean",
  batchId: "uuid",
  batchItemId: "uuid",
  correlationId: "text",
  metadata: "jsonb",
  apiKeyId: "uuid",
  apiKeyName: "text",
  apiKeyLabels: "jsonb",
  userId: "uuid",
  sourceIp: "text",
  userAgent: "text",
  resourceId: "text",
  resourceName: "text",
  connectionId: "text",
  provider: "text",
  model: "text",
  providerModel: "text",
  serviceTier: "text",
  systemFingerprint: "text",
  status: "text",
  statusCode: "smallint",
  errorCode: "text",
  errorMessage: "text",
  failureReason: "text",
  finishReason: "text",
  warnings: "jsonb",
  totalDurationMs: "double precision",
  gateDurationMs: "double precision",
  routingDurationMs: "double precision",
  providerDurationMs: "double precision",
  timeToFirstTokenMs: "double precision",
  tokensPerSecond: "double precision",
  tokens: "jsonb",
  usageSource: "text",
  cost: "jsonb",
  originalCost: "jsonb",
  ratedAt: "timestamptz",
  events: "jsonb",
  legs: "jsonb",
  revision: "bigint",
  routing: "jsonb",
  payloadCapture: "text",
} as const satisfies Record<keyof AuditRecord, string>;

/** The column a member of the record is stored in, such as `request_id`. */
export function auditColumn(member: keyof AuditRecord): string {
  return member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Every member with a column. */
export const auditMembers = Object.keys(auditColumnTypes) as (keyof AuditRecord)[];

/**
 * The statement that inserts records given as one JSON array, as they stand in the spool; what is there already
 * stays as it is.
 */
export function insertAuditSql(schema: string): string {
  const columns = auditMembers.map(auditColumn).join(", ");
  const read = auditMembers.map((member) => `r."${member}"`).join(", ");
  const typed = auditMembers.map((member) => `"${member}" ${auditColumnTypes[member]}`).join(", ");
  return `insert into ${schema}.audit (${columns}) select ${read} ` +
    `from json_to_recordset($1::json) as r(${typed}) on conflict do nothing`;
}
