import Type from "typebox";
import { AnyObject, closed, nullable, Timestamp, Uuid } from "./field.ts";
import { RoutingTrace } from "./routing-trace.ts";
import { Warning } from "./warning.ts";

const Count = nullable(Type.Integer({ minimum: 0 }));
const Milliseconds = nullable(Type.Number({ minimum: 0 }));
const Text = nullable(Type.String());

/** Token counts of a request or a leg. */
export const AuditTokens = Type.Object({
  inputUncached: Count,
  inputCacheRead: Count,
  inputCacheWrite5m: Count,
  inputCacheWrite1h: Count,
  output: Count,
  reasoning: Count,
  audioInput: Count,
  audioOutput: Count,
  acceptedPredictionTokens: Count,
  rejectedPredictionTokens: Count,
  webSearchRequests: Count,
  codeExecutionRequests: Count,
  promptTokens: Count,
  completionTokens: Count,
  totalTokens: Count,
}, {
  ...closed,
  title: "AuditTokens",
  description: "Tokens in disjoint classes; null is what nobody reported, zero is a value",
});
/** See the schema of the same name. */
export type AuditTokens = Type.Static<typeof AuditTokens>;

const costClasses = {
  inputUncached: Type.Integer(),
  inputCacheRead: Type.Integer(),
  cacheWrite: Type.Integer(),
  output: Type.Integer(),
  reasoning: Type.Integer(),
  audio: Type.Integer(),
  requests: Type.Integer(),
  total: Type.Integer(),
};

/** What one leg added to the cost of its request. */
export const LegCost = Type.Object(costClasses, {
  ...closed,
  title: "LegCost",
  description: "Integers in nano-units; the legs of a request add up to its cost",
});
/** See the schema of the same name. */
export type LegCost = Type.Static<typeof LegCost>;

/** What a request cost. */
export const AuditCost = Type.Object({
  currency: Type.String(),
  priceListId: Type.String(),
  priceVersion: Type.String(),
  ...costClasses,
}, { ...closed, title: "AuditCost", description: "Integers in nano-units of the currency" });
/** See the schema of the same name. */
export type AuditCost = Type.Static<typeof AuditCost>;

/** How a leg was admitted. */
export const AuditGate = Type.Object({
  durationMs: Type.Number(),
  result: Type.Enum(["admitted", "denied", "skipped", "degraded"]),
  meters: Type.Optional(Type.Array(AnyObject, { description: "Only in the detail of a row" })),
  failing: Type.Optional(Type.Array(Type.Unknown())),
  reservationId: Type.Optional(Text),
  reserved: Type.Optional(Type.Unknown()),
  settled: Type.Optional(Type.Unknown()),
}, { title: "AuditGate", description: "How a leg was admitted" });
/** See the schema of the same name. */
export type AuditGate = Type.Static<typeof AuditGate>;

/** One attempt of one model slot. */
export const AuditLeg = Type.Object({
  index: Type.Integer({ minimum: 0 }),
  kind: Type.Enum(["primary", "secondary", "route", "fallback"]),
  connectionId: Type.String(),
  connectionName: Text,
  provider: Type.String(),
  model: Type.String(),
  credentialVersion: nullable(Type.Integer()),
  startedAt: Timestamp,
  durationMs: Milliseconds,
  gate: nullable(AuditGate),
  retries: Type.Array(
    Type.Object({ at: Timestamp, statusCode: Type.Integer(), delayMs: Type.Number() }, closed),
  ),
  providerRequestId: Text,
  statusCode: nullable(Type.Integer()),
  outcome: nullable(Type.Enum(["ok", "failed", "denied", "skipped", "aborted", "partial"])),
  failureReason: Text,
  errorCode: Text,
  errorMessage: Text,
  timeToFirstTokenMs: Milliseconds,
  tokens: nullable(AuditTokens),
  cost: Type.Optional(LegCost),
  warnings: Type.Array(Warning),
}, { ...closed, title: "AuditLeg", description: "One attempt of one model slot" });
/** See the schema of the same name. */
export type AuditLeg = Type.Static<typeof AuditLeg>;

/** How a request ended. */
export const AuditStatus = Type.Enum([
  "ok",
  "error",
  "blocked",
  "denied",
  "aborted",
  "partial",
  "interrupted",
], { title: "AuditStatus" });
/** See the schema of the same name. */
export type AuditStatus = Type.Static<typeof AuditStatus>;

const rowFields = {
  requestId: Uuid,
  timestamp: Timestamp,
  workspaceId: Uuid,
  environmentId: Uuid,
  type: Type.Enum(["COMPLETION", "COMPLETION_BATCH", "EMBEDDING", "COUNT_TOKENS"]),
  endpoint: Type.String({ description: "Such as `CHAT_COMPLETIONS`" }),
  stream: Type.Boolean(),
  batchId: nullable(Uuid),
  batchItemId: nullable(Uuid),
  correlationId: Text,
  metadata: Type.Record(Type.String(), Type.String()),

  apiKeyId: nullable(Uuid),
  apiKeyName: Text,
  apiKeyLabels: Type.Array(Type.String()),
  userId: nullable(Uuid),
  sourceIp: Type.String(),
  userAgent: Text,

  resourceId: nullable(Type.String({ description: "An id, or `ephemeral`" })),
  resourceName: Text,
  connectionId: Text,
  provider: Text,
  model: Text,
  providerModel: nullable(Type.String({ description: "As the provider reported it" })),
  serviceTier: Text,
  systemFingerprint: Text,

  status: AuditStatus,
  statusCode: nullable(Type.Integer()),
  errorCode: Text,
  errorMessage: Text,
  failureReason: Text,
  finishReason: Text,
  warnings: Type.Array(Warning),

  totalDurationMs: Milliseconds,
  gateDurationMs: Milliseconds,
  routingDurationMs: Milliseconds,
  providerDurationMs: Milliseconds,
  timeToFirstTokenMs: Milliseconds,
  tokensPerSecond: nullable(Type.Number({ minimum: 0 })),

  tokens: nullable(AuditTokens),
  usageSource: nullable(Type.Enum(["provider", "estimated", "missing"])),
  cost: nullable(AuditCost),
  originalCost: nullable(AuditCost),
  ratedAt: nullable(Timestamp),

  events: Type.Array(AnyObject),
  legs: Type.Array(AuditLeg),
  revision: nullable(Type.Integer()),
};

/** A row of the audit as lists show it. */
export const AuditRow = Type.Object(rowFields, {
  ...closed,
  title: "AuditRow",
  description: "One request, without payload, routing trace and the meters of its legs",
});
/** See the schema of the same name. */
export type AuditRow = Type.Static<typeof AuditRow>;

const payload = Type.Optional(Type.Unknown());

/** A row of the audit with everything that was kept. */
export const AuditDetail = Type.Object({
  ...rowFields,
  routing: nullable(RoutingTrace),
  payloadState: nullable(Type.Record(Type.String(), Type.String(), {
    description:
      "For each payload member: `stored`, `truncated (kept/total bytes)`, `off by policy`, `expired` or `not captured: <cause>`",
  })),
  requestBody: payload,
  mergedBody: payload,
  providerRequestBody: payload,
  responseBody: payload,
  responseFrames: Type.Optional(Type.Integer({ description: "Frames of a streamed answer" })),
  responseHeaders: Type.Optional(Type.Record(Type.String(), Type.String())),
}, {
  ...closed,
  title: "AuditDetail",
  description: "One request with all that was kept; payload members need `audit:read-payload`",
});
/** See the schema of the same name. */
export type AuditDetail = Type.Static<typeof AuditDetail>;

const wildcard = Type.String({ minLength: 1, maxLength: 256, description: "May hold `*` and `?`" });
const exact = Type.String({ minLength: 1, maxLength: 256 });

/** Query members that choose rows of the audit; `metadata.<key>=<value>` comes beside them. */
export const auditFilterQuery = {
  from: Type.Optional(Timestamp),
  to: Type.Optional(Timestamp),
  type: Type.Optional(rowFields.type),
  endpoint: Type.Optional(exact),
  status: Type.Optional(AuditStatus),
  statusCode: Type.Optional(Type.String({
    pattern: "^([1-5][0-9][0-9]|[1-5]xx)$",
    description: "A status such as 429, or a class such as 5xx",
  })),
  resourceId: Type.Optional(exact),
  connectionId: Type.Optional(exact),
  provider: Type.Optional(exact),
  model: Type.Optional(wildcard),
  apiKeyId: Type.Optional(Uuid),
  label: Type.Optional(exact),
  userId: Type.Optional(Uuid),
  correlationId: Type.Optional(exact),
  requestId: Type.Optional(Uuid),
  batchId: Type.Optional(Uuid),
  failureReason: Type.Optional(exact),
  minDurationMs: Type.Optional(Type.Number({ minimum: 0 })),
  warnings: Type.Optional(Type.Boolean({ description: "Only rows with warnings" })),
  fallback: Type.Optional(Type.Boolean({ description: "Only rows that fell back" })),
};

/** One event of the live audit. */
export const AuditLiveEvent = Type.Object({
  row: Type.Optional(Type.Object({ ...rowFields, status: nullable(AuditStatus) }, {
    ...closed,
    description: "As lists show it; while the request runs its status is null",
  })),
  counts: Type.Optional(Type.Object({
    started: Type.Integer(),
    first_token: Type.Integer(),
    finished: Type.Integer(),
  }, closed)),
}, {
  ...closed,
  title: "AuditLiveEvent",
  description:
    "Data of the events `started`, `first_token` and `finished` (a row), `counts` (of what was left out while there was too much), and `gap` (something was missed)",
});
/** See the schema of the same name. */
export type AuditLiveEvent = Type.Static<typeof AuditLiveEvent>;
