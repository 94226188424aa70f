import type { Clock, Log, LogFields } from "../contract/index.ts";
import { secretPaths } from "../host/configuration-schema.ts";
import { createPluginHost, type PluginHostOptions } from "../host/create-plugin-host.ts";
import { installationRoot } from "../host/discover.ts";
import { createEncryptionBackends } from "../host/encryption-backends.ts";
import { followSwitches, requiredPlugins } from "../host/follow-switches.ts";
import { createGatewayView } from "../gateway/gateway-view.ts";
import { createTestServices, type TestServices } from "../gateway/testing-services.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { openStoredSettings } from "../host/stored-settings.ts";
import { createManagement } from "../http/management.ts";
import { listen } from "../http/server.ts";
import { createSourceAddress } from "../http/source-address.ts";
import { createRedact } from "../gateway/redact.ts";
import { createEgressGuard } from "../kit/egress.ts";
import { createHttpClient } from "../kit/http.ts";
import { Secret } from "../kit/secret.ts";
import type { Database } from "../store/database.ts";
import { createSnapshotLoader, type SnapshotLoader } from "../store/loader.ts";
import { createPricing, type Pricing } from "../records/cost/pricing.ts";
import { createRecords, type Records } from "../records/create-records.ts";
import { createSystemStatus } from "../system-status.ts";
import { startTestDatabase, type TestDatabase } from "../store/testing.ts";
import { bootstrap, type FirstRun } from "./bootstrap.ts";
import type { ManagementConfig } from "./services.ts";

/** A management plane over a real database, real plugins and real HTTP. */
export interface TestManagement {
  readonly url: string;
  readonly database: Database;
  readonly testDatabase: TestDatabase;
  readonly loader: SnapshotLoader;
  readonly host: PluginHost;
  readonly firstRun: FirstRun;
  readonly records: Records;
  readonly pricing: Pricing;
  /** What the data plane of the same process stands on. */
  readonly gateway: TestServices;
  /** Lines written to the log, fields included. */
  readonly logged: string[];
  /** The clock of the plane; tests may move it. */
  readonly clock: Clock & { offsetMs: number };
  /** Path of the first run's environment. */
  readonly environmentPath: string;
  /** Calls as the administrator. A body is sent as JSON unless it is text already. */
  call(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Answer>;
  /** Calls without any credential of its own. Of a stream of events only the head is read. */
  send(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Answer>;
  stop(): Promise<void>;
}

/** An answer, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; undefined when there is none. */
  // deno-lint-ignore no-explicit-any
  readonly body: any;
  readonly text: string;
}

/** Bearer token of the administrator. */
export const adminToken = "test-admin-token-0123456789-abcdefghij";

/** Starts everything on a free port, after a first run with `environment`. */
export async function startTestManagement(
  environment: Readonly<Record<string, string>> = {},
  config: Partial<ManagementConfig> = {},
  plugins: Partial<Pick<PluginHostOptions, "folders" | "environment">> = {},
): Promise<TestManagement> {
  const testDatabase = await startTestDatabase();
  const logged: string[] = [];
  const log = recorder(logged);
  const clock = createTestClock();
  const egress = createEgressGuard({ privateRanges: "deny", allow: ["127.0.0.1"] });
  const http = createHttpClient({
    connectTimeoutMs: 2_000,
    idleTimeoutMs: 5_000,
    guard: egress,
    clock,
  });
  let stored = undefined as SnapshotLoader | undefined;
  const encryption = () => createEncryptionBackends(host, "libsodium")();
  const host: PluginHost = await createPluginHost({
    root: installationRoot(),
    coreVersion: "0.1.0",
    environment: {},
    ...plugins,
    settings: async (pluginId, schema) =>
      stored && await openStoredSettings(stored.current(), pluginId, schema, encryption),
    log,
    fetch: http.fetch,
    http,
    clock,
    dataDir: testDatabase.dataDir,
    signal: new AbortController().signal,
  });
  const database = await testDatabase.open();
  const firstRun = await bootstrap({
    database,
    host,
    encryption,
    config: {
      bootstrap: {
        adminEmail: "admin@localhost",
        adminPassword: new Secret("correct horse battery staple"),
        apiKey: undefined,
      },
    },
    environment,
    log,
  });
  const loader = createSnapshotLoader({
    database,
    pollMs: 60_000,
    log,
    secretFields: (provider, settings) =>
      secretPaths(host.find("providers", provider)?.configuration ?? {}, settings),
    openSecret: async (sealed, { environmentId, connectionId, field }) =>
      new Secret(
        Buffer.from(
          await (await encryption()).open(sealed, {
            environment: environmentId,
            owner: connectionId,
            field,
          }),
        ).toString("utf8"),
      ),
  });
  stored = loader;
  await loader.start();
  const required = requiredPlugins(host, {
    capacityStores: "memory",
    encryptions: "libsodium",
    sharedStates: "memory",
  });
  followSwitches(host, loader, required, log);
  const gateway = await createTestServices({
    snapshot: () => loader.current(),
    host,
    clock,
    log,
    fetch: http.fetch,
  });
  const pricing = createPricing({ statements: database.statements, host, clock, log });
  const records = createRecords({
    price: pricing.price,
    dataDir: testDatabase.dataDir,
    settings: { maxPayloadBytes: 262_144, spoolMaxBytes: 2 ** 26, whenSpoolFull: "serve" },
    statements: database.statements,
    host,
    sharedState: () => host.get("sharedStates", "memory"),
    redact: createRedact([]),
    environmentSettings: () =>
      [...loader.current().environments.values()].map(({ settings }) => settings),
    clock,
    log,
  });
  const status = createSystemStatus({
    loader,
    database,
    records,
    capacity: gateway.capacity,
    host,
    isDraining: () => false,
    clock,
  });
  const management = createManagement({
    status,
    records,
    pricing,
    usageQuerySink: "database",
    database,
    gateway: createGatewayView(() => gateway),
    allocation: gateway.allocation,
    capacity: { ...gateway.capacity, copy: () => Promise.resolve() },
    loader,
    host,
    encryption,
    requiredPlugins: required,
    egress,
    clock,
    sharedState: () => host.get("sharedStates", "memory"),
    log,
    sourceAddress: createSourceAddress([]),
    config: {
      version: "0.0.0-test",
      publicUrl: undefined,
      adminToken,
      localLogin: true,
      session: { idleMs: 8 * 3_600_000, maxMs: 7 * 86_400_000 },
      ...config,
    },
  });
  const server = await listen("127.0.0.1", 0, {
    dataPlane: () => false,
    middleware: [management.middleware],
    readiness: () => ({ status: "ready" }),
    log,
  });
  const { url } = server;

  const send: TestManagement["send"] = async (method, path, body, headers) => {
    const all = new Headers(headers);
    if (body !== undefined && !all.has("content-type")) all.set("content-type", "application/json");
    const response = await fetch(url + path, {
      method,
      headers: all,
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const type = response.headers.get("content-type");
    // A stream of events does not end by itself.
    const isEndless = type?.startsWith("text/event-stream") ?? false;
    const text = isEndless ? "" : await response.text();
    if (isEndless) await response.body!.cancel();
    const isJson = type?.includes("json");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text ? JSON.parse(text) as unknown : undefined,
    };
  };
  return {
    url,
    database,
    testDatabase,
    loader,
    host,
    firstRun: firstRun!,
    records,
    pricing,
    gateway,
    logged,
    clock,
    environmentPath: `/api/v1/workspaces/${firstRun!.workspaceId}/environments/${
      firstRun!.environmentId
    }`,
    send,
    call: (method, path, body, headers) => {
      const all = new Headers(headers);
      all.set("authorization", `Bearer ${adminToken}`);
      return send(method, path, body, all);
    },
    async stop() {
      await server.stop(0);
      await records.close(0);
      await gateway.capacity.stop();
      await loader.stop();
      await host.dispose();
      await http.close();
      await testDatabase.stop();
    },
  };
}

function createTestClock(): TestManagement["clock"] {
  return {
    offsetMs: 0,
    now() {
      return Date.now() + this.offsetMs;
    },
    monotonic() {
      return performance.now() + this.offsetMs;
    },
  };
}

function recorder(lines: string[]): Log {
  const write = (message: string, fields?: LogFields) => {
    lines.push(
      `${message} ${
        JSON.stringify(fields ?? {}, (_key, value: unknown) =>
          value instanceof Error
            ? { message: value.message, stack: value.stack, cause: value.cause }
            : value)
      }`,
    );
  };
  return { debug: write, info: write, warn: write, error: write };
}
