import type { Outcome } from "../gateway/exchange.ts";
import { startTestGateway, type TestGateway } from "../gateway/testing.ts";
import type { Log } from "../contract/index.ts";
import { createRedact } from "../gateway/redact.ts";
import { silentLog, startTestDatabase, type TestDatabase } from "../store/testing.ts";
import type { Database } from "../store/database.ts";
import { createRecords, type Records, type RecordsOptions } from "./create-records.ts";
import { retentionClassOf } from "./retention-class.ts";
import type { AuditRecord } from "./record.ts";
import { decodePayload } from "./payload/encoding.ts";
import { createRequestId } from "../gateway/request-id.ts";

/** A data plane that writes records into a real database. */
export interface TestRecords {
  readonly gateway: TestGateway;
  readonly database: Database;
  readonly testDatabase: TestDatabase;
  readonly records: Records;
  /** Calls the data plane as the test's API key. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  /** Ships everything and reads the row of a request. */
  row(requestId: string): Promise<Record<string, unknown> | undefined>;
  /** The payload members of a request with their states. */
  payload(requestId: string): Promise<StoredPayload | undefined>;
  stop(): Promise<void>;
}

/** See `TestRecords.payload`. */
export interface StoredPayload {
  readonly members: Record<string, unknown>;
  readonly state: Record<string, string>;
}

/** Starts a data plane with records. */
export async function startTestRecords(
  options: Partial<RecordsOptions> = {},
  log: Log = silentLog,
): Promise<TestRecords> {
  const [gateway, testDatabase] = await Promise.all([startTestGateway(), startTestDatabase()]);
  const database = await testDatabase.open();
  const { services } = gateway;
  const records = createRecords({
    dataDir: testDatabase.dataDir,
    settings: { maxPayloadBytes: 262_144, spoolMaxBytes: 2 ** 28, whenSpoolFull: "serve" },
    statements: database.statements,
    host: gateway.host,
    sharedState: () => gateway.host.get("sharedStates", "memory"),
    redact: createRedact(["sk-[A-Za-z0-9_-]{16,}"]),
    environmentSettings: () => [],
    clock: services.clock,
    log,
    ...options,
  });
  const { onFinished } = services;
  Object.assign(services, {
    onTargeted: records.onTargeted,
    onFirstContent: records.onFirstContent,
    onFinished(outcome: Outcome) {
      onFinished(outcome);
      records.onFinished(outcome);
      return records.written();
    },
  });
  const { statements } = database;
  return {
    gateway,
    database,
    testDatabase,
    records,
    post: (path, body, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${gateway.apiKey}`);
      return fetch(`${gateway.baseURL}${path}`, {
        method: "POST",
        ...init,
        headers,
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    },
    async row(requestId) {
      await records.flush();
      const [row] = await statements.read(
        `select * from ${statements.schema}.audit where request_id = $1`,
        [requestId],
      );
      return row;
    },
    async payload(requestId) {
      await records.flush();
      const [row] = await statements.read<
        { encoding: string; body: Buffer | null; state: Record<string, string> }
      >(`select * from ${statements.schema}.audit_payloads where request_id = $1`, [requestId]);
      if (!row) return undefined;
      const members = row.body ? await decodePayload(row.encoding, row.body) : {};
      return { members: members as Record<string, unknown>, state: row.state };
    },
    async stop() {
      await gateway.stop();
      await records.close();
      await testDatabase.stop();
    },
  };
}

/** A record of a request that went well; members can be replaced. */
export function sampleRecord(at: number, record: Partial<AuditRecord> = {}): AuditRecord {
  return {
    requestId: createRequestId(at),
    timestamp: new Date(at).toISOString(),
    auditClass: retentionClassOf(90),
    usageClass: retentionClassOf(400),
    payloadCapture: "none",
    workspaceId: "11111111-1111-4111-8111-111111111111",
    environmentId: "22222222-2222-4222-8222-222222222222",
    type: "COMPLETION",
    endpoint: "CHAT_COMPLETIONS",
    stream: false,
    batchId: null,
    batchItemId: null,
    correlationId: null,
    metadata: {},
    apiKeyId: null,
    apiKeyName: null,
    apiKeyLabels: [],
    userId: null,
    sourceIp: "127.0.0.1",
    userAgent: null,
    resourceId: "33333333-3333-4333-8333-333333333333",
    resourceName: "demo",
    connectionId: "44444444-4444-4444-8444-444444444444",
    provider: "echo",
    model: "echo",
    providerModel: null,
    serviceTier: null,
    systemFingerprint: null,
    status: "ok",
    statusCode: 200,
    errorCode: null,
    errorMessage: null,
    failureReason: null,
    finishReason: "end",
    warnings: [],
    totalDurationMs: 12,
    gateDurationMs: null,
    routingDurationMs: null,
    providerDurationMs: 10,
    timeToFirstTokenMs: 5,
    tokensPerSecond: null,
    tokens: null,
    usageSource: "missing",
    cost: null,
    originalCost: null,
    ratedAt: null,
    events: [],
    legs: [],
    revision: 1,
    routing: null,
    ...record,
  };
}
