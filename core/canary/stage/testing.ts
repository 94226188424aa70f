import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { startProcess } from "../../command/testing.ts";
import { type RecordingProxy, startRecordingProxy } from "../recording-proxy.ts";
import type { Secrets } from "../secrets/testing.ts";
import {
  type HostileService,
  respondAsIssuer,
  respondAsProvider,
  startService,
} from "../services/testing.ts";
import {
  freePort,
  startPostgres,
  startRedis,
  type TestPostgres,
  type TestRedis,
} from "../stores/testing.ts";

/** Where something was kept or said; a kind is proven to be searched by what was planted in it. */
export const kinds = [
  ...["answers", "log", "spans and metrics", "audit", "exports", "database dump"],
  ...["database files", "database log", "shared state", "data folder", "command line"],
  ...["provider's requests", "metrics page"],
] as const;
/** See `kinds`. */
export type Kind = typeof kinds[number];
/** Bytes to be searched. */
export interface Piece {
  readonly kind: Kind;
  readonly place: string;
  readonly bytes: Uint8Array | string;
  /** Secrets that belong here, and nowhere else. */
  readonly allowed?: readonly string[];
}

/** What a gateway stands among. */
interface Surroundings {
  /** Reachable for everybody, and removed in the end. */
  readonly folder: string;
  readonly postgres: TestPostgres;
  readonly store: TestRedis;
  /** Callers come through it. */
  readonly proxy: RecordingProxy;
  readonly provider: HostileService;
  readonly issuer: HostileService;
  readonly collector: HostileService;
  readonly usageStore: HostileService;
}

/** A gateway with secrets, among services that collect what it says. */
export interface Stage extends Surroundings, Pick<Secrets, "given" | "firstKey" | "planted"> {
  /** What has been kept so far. */
  readonly pieces: readonly Piece[];
  /** Path of the first environment. */
  readonly environmentPath: string;
  /** Variables a further process is told, with a port for metrics. */
  environment(metricsPort: number): Record<string, string>;
  /** What the gateway has printed. */
  output(): string;
  /** The page of metrics. */
  metrics(): Promise<string>;
  /** Keeps bytes for the search; secrets that belong there are `allowed`. */
  keep(kind: Kind, place: string, bytes: Piece["bytes"], allowed?: readonly string[]): void;
  /** Calls the gateway. */
  call(path: string, options?: Call): Promise<Answer>;
  /** Calls and answers the body; rejects when it is no 2xx. */
  // deno-lint-ignore no-explicit-any -- answers are looked into freely
  done(path: string, options?: Call): Promise<any>;
  /** Runs a script to its end. */
  run(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<Ended>;
  /** Ends the gateway and answers its exit code. */
  endGateway(): Promise<number | null>;
  stop(): Promise<void>;
}

/** How a call is made. */
export interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Bearer credential; the administrator's unless it is given. */
  readonly bearer?: string | null;
}

/** What came of a call. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** How a script ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly talk: string;
}

/** Starts everything. */
export async function startStage(secrets: Secrets): Promise<Stage> {
  const { given } = secrets;
  const folder = mkdtempSync(join(tmpdir(), "vmx-canary-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "data"));
  const [postgres, store, proxy, provider, issuer, collector, usageStore] = await Promise.all([
    startPostgres(folder, given["database password"]),
    startRedis(folder, given["Redis password"]),
    startRecordingProxy(),
    startService(respondAsProvider),
    startService(respondAsIssuer),
    startService((_, response) => response.writeHead(200).end()),
    startService(respondAsProvider),
  ]);
  const surroundings = {
    ...{ folder, postgres, store, proxy, provider, issuer, collector, usageStore },
  };
  const environment: Stage["environment"] = (port) => variablesOf(secrets, surroundings, port);
  const [port, metricsPort] = await Promise.all([freePort(), freePort()]);
  const gateway = await startProcess({ ...environment(metricsPort), PORT: String(port) });
  // What it calls its address is the proxy's.
  proxy.lead(port);
  const pieces: Piece[] = [];

  async function call(
    path: string,
    { method, body, headers, bearer }: Call = {},
  ): Promise<Answer> {
    const token = bearer === undefined ? given["administrator's token"] : bearer;
    const response = await fetch(proxy.url + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      redirect: "manual",
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text().catch(() => "");
    return { status: response.status, headers: response.headers, text };
  }

  // deno-lint-ignore no-explicit-any -- answers are looked into freely
  async function done(path: string, options: Call = {}): Promise<any> {
    const { status, text } = await call(path, options);
    if (status >= 300) throw new Error(`${path} answered ${status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  const { data: [workspace] } = await done("/api/v1/workspaces?includesEnvironments=true");
  const { workspaceId, environments: [{ environmentId }] } = workspace;
  return {
    ...surroundings,
    ...secrets,
    pieces,
    environmentPath: `/api/v1/workspaces/${workspaceId}/environments/${environmentId}`,
    environment,
    output: gateway.output,
    metrics: async () => await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    keep(kind, place, bytes, allowed) {
      pieces.push({ kind, place, bytes, ...(allowed ? { allowed } : {}) });
    },
    call,
    done,
    run: (args, variables) => run(args, { HOME: folder, ...variables }),
    endGateway: () => gateway.end(),
    async stop() {
      await gateway.end("SIGKILL");
      await Promise.all(
        [proxy, provider, issuer, collector, usageStore, store].map((one) => one.stop()),
      );
      // The database may have been stopped for its files.
      await postgres.stop().catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a gateway is told. */
function variablesOf(
  { given, firstKey, planted }: Secrets,
  { folder, postgres, store, proxy, issuer, collector, usageStore }: Surroundings,
  metricsPort: number,
): Record<string, string> {
  const usage = new URL(usageStore.url);
  usage.username = "vmx";
  usage.password = given["usage store password"];
  return {
    DATA_DIR: join(folder, "data"),
    LOG_LEVEL: "debug",
    DATABASE_URL: postgres.url,
    REDIS_URL: store.url,
    VMX_PUBLIC_URL: proxy.url,
    VMX_ENCRYPTION_KEYS: `1:${given["master key"]}`,
    VMX_ADMIN_PASSWORD: given["administrator's password"],
    VMX_ADMIN_TOKEN: given["administrator's token"],
    VMX_BOOTSTRAP_API_KEY: firstKey,
    VMX_BOOTSTRAP_QUIET: "true",
    VMX_CAPACITY_TIMEOUT_MS: "1000",
    OPENAI_API_KEY: given["first-run provider key"],
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: given["AWS access key"],
    AWS_SECRET_ACCESS_KEY: given["first-run AWS secret"],
    OIDC_FEDERATED_ISSUER: issuer.url,
    OIDC_FEDERATED_CLIENT_ID: "vmx",
    OIDC_FEDERATED_CLIENT_SECRET: given["OIDC client secret"],
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${given["collector header"]}`,
    OTEL_BSP_SCHEDULE_DELAY: "200",
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
    OTEL_METRIC_EXPORT_TIMEOUT: "1000",
    VMX_OTEL_CAPTURE_CONTENT: "true",
    VMX_OTEL_PROPAGATE: "true",
    VMX_METRICS_ENABLED: "true",
    VMX_METRICS_PORT: String(metricsPort),
    VMX_USAGE_SINKS: "database,questdb",
    QUESTDB_URL: usage.href,
    VMX_SNAPSHOT_POLL_MS: "200",
    // Its name is warned of, and so the log holds it.
    [`VMX_${planted}`]: "1",
  };
}

function run(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<Ended> {
  const env = { PATH: process.env["PATH"], ...variables };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 2 ** 28 }, (error, out, talk) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, out, talk });
    });
  });
}

/** Waits for something for a minute at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const from = performance.now(); !await Promise.resolve(holds()).catch(() => false);) {
    if (performance.now() - from > 60_000) throw new Error(`It does not come true: ${holds}`);
    await delay(100);
  }
}

/** Runs calls, some at a time. */
export async function inTurns(
  calls: readonly (() => Promise<unknown>)[],
  atOnce: number,
): Promise<void> {
  const left = [...calls];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = left.shift(); next; next = left.shift()) await next().catch(() => {});
  }));
}
