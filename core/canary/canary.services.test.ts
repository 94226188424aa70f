import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failToStart, type GatewayProcess, startProcess } from "../command/testing.ts";
import type { Canary } from "./forms.ts";
import { type RecordingProxy, startRecordingProxy } from "./recording-proxy.ts";
import { createScanner, type Hit } from "./scanner.ts";
import {
  type HostileService,
  issuerMoods,
  providerMoods,
  respondAsIssuer,
  respondAsProvider,
  startService,
} from "./services/testing.ts";
import {
  freePort,
  startPostgres,
  startRedis,
  type TestPostgres,
  type TestRedis,
} from "./stores/testing.ts";

/*
 * A gateway with unmistakable secrets is driven through everything it does, in good weather and bad; what it says and
 * keeps is collected and searched.
 */

const random = (bytes: number) => randomBytes(bytes).toString("hex");
/** Of characters that every encoding writes in a way of its own. */
const awkward = () =>
  `${random(9)}${[..."\"\\/+&=%<>'"].map((one) => one + random(1)).join("")}${random(9)}`;
const masterKey = randomBytes(32);
const nextKey = randomBytes(32);
const given = {
  "provider key": random(20),
  "awkward provider key": awkward(),
  "provider header": `${awkward()} with blanks ${random(8)}`,
  "first-run provider key": random(20),
  "AWS access key": random(16),
  "AWS secret": `${random(14)}/+${random(8)}`,
  "AWS session token": `${random(20)}+/==`,
  "first-run AWS secret": random(20),
  "OIDC client secret": awkward(),
  "master key": masterKey.toString("base64"),
  "next master key": nextKey.toString("base64"),
  "database password": awkward(),
  "Redis password": awkward(),
  "usage store password": random(20),
  "collector header": random(20),
  "administrator's password": `${awkward()} é`,
  "administrator's token": random(24),
  // Without the characters that lists show.
  "first API key": random(20),
  "user's password": `${awkward()} ü`,
  "user's next password": awkward(),
  "mistyped password": awkward(),
  "password typed as a name": awkward(),
  "mistyped key": random(20),
  "mistyped token": random(20),
  "refused provider key": awkward(),
};
const firstKey = `twelve-chars${given["first API key"]}four`;
/** Leaks on purpose, in each kind of place, and so must be found in each. */
const planted = random(20);
const root = fileURLToPath(new URL("../..", import.meta.url));
const entry = join(root, "core/main.ts");

/** Where something was kept or said; a kind is proven to be searched by what was planted in it. */
const kinds = [
  ...["answers", "log", "spans and metrics", "audit", "exports", "database dump"],
  ...["database files", "database log", "shared state", "data folder", "command line"],
  ...["provider's requests", "metrics page"],
] as const;
type Kind = typeof kinds[number];
interface Piece {
  readonly kind: Kind;
  readonly place: string;
  readonly bytes: Uint8Array | string;
  /** Secrets that belong here, and nowhere else. */
  readonly allowed?: readonly string[];
}

const pieces: Piece[] = [];
const revealed: Canary[] = [];
let hits: (Hit & { readonly kind: Kind })[] = [];
const notes: string[] = [];
/** What the run of every operation told. */
let coverage: { readonly failed: readonly string[]; readonly missing: readonly string[] };
let folder: string;
let postgres: TestPostgres;
let store: TestRedis;
let proxy: RecordingProxy;
let provider: HostileService;
let issuer: HostileService;
let collector: HostileService;
let usageStore: HostileService;
let gateway: GatewayProcess | undefined;

const keep = (kind: Kind, place: string, bytes: Uint8Array | string, allowed?: string[]) =>
  pieces.push({ kind, place, bytes, ...(allowed ? { allowed } : {}) });

/** Tells how long a part took. */
async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    return await work();
  } finally {
    notes.push(`${name}: ${Math.round(performance.now() - startedAt)} ms`);
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vmx-canary-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "data"));
  [postgres, store, proxy, provider, issuer, collector, usageStore] = await Promise.all([
    startPostgres(folder, given["database password"]),
    startRedis(folder, given["Redis password"]),
    startRecordingProxy(),
    startService(respondAsProvider),
    startService(respondAsIssuer(() => issuer.url)),
    startService((_, response) => response.writeHead(200).end()),
    startService(respondAsProvider),
  ]);
  const metricsPort = await freePort();
  const port = await freePort();
  gateway = await startProcess({ ...environment(metricsPort), PORT: String(port) });
  // What it calls its address is the proxy's.
  proxy.lead(port);
  await timed("everyOperation", () => everyOperation());
  await timed("wrongCalls", () => wrongCalls());
  await timed("federatedLogins", () => federatedLogins());
  const { connections } = await timed("dataPlane", dataPlane);
  await timed("readEverything", () => readEverything());
  await timed("commands", () => commands());
  await timed("outages", () => outages(connections));
  await timed("readEverything", () => readEverything());
  keep(
    "metrics page",
    "/metrics",
    await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`))
      .text(),
  );
  const code = await gateway.end();
  notes.push(`the gateway ended with ${code}`);
  await timed("failedStarts", () => failedStarts());
  await timed("collect", () => collect());
  search();
}, 300_000);

afterAll(async () => {
  await gateway?.end("SIGKILL");
  await Promise.all([proxy, provider, issuer, collector, usageStore].map((one) => one?.stop()));
  await store?.stop();
  await postgres?.stop().catch(() => {});
  rmSync(folder, { recursive: true, force: true });
});

function environment(metricsPort: number): Record<string, string> {
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

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Bearer credential; the administrator's unless it is given. */
  readonly bearer?: string | null;
}

/** Calls the gateway through the recording proxy. */
async function call(path: string, { method, body, headers, bearer }: Call = {}) {
  const token = bearer === undefined ? given["administrator's token"] : bearer;
  const response = await fetch(proxy.url + path, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    redirect: "manual",
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text().catch(() => "");
  return { status: response.status, headers: response.headers, text };
}

/** Calls and answers the body; rejects when it is no 2xx. */
// deno-lint-ignore no-explicit-any -- answers are looked into freely
async function done(path: string, options: Call = {}): Promise<any> {
  const { status, text } = await call(path, options);
  if (status >= 300) throw new Error(`${path} answered ${status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly talk: string;
}

function run(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<Ended> {
  const env = { PATH: process.env["PATH"], HOME: folder, ...variables };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 2 ** 28 }, (error, out, talk) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, out, talk });
    });
  });
}

async function everyOperation(): Promise<void> {
  const { out, talk } = await run([join(root, "sdk/every-operation.ts")], {
    VMX_BASE_URL: `${proxy.url}/v1`,
    VMX_TOKEN: given["administrator's token"],
  });
  keep("command line", "the client's output", out + talk);
  coverage = JSON.parse(out);
}

let environmentPath: string;

async function wrongCalls(): Promise<void> {
  const { data: [workspace] } = await done("/api/v1/workspaces?includesEnvironments=true");
  const { workspaceId, environments: [{ environmentId }] } = workspace;
  environmentPath = `/api/v1/workspaces/${workspaceId}/environments/${environmentId}`;
  const users = "/api/v1/users";
  const person = {
    firstName: "Ana",
    lastName: "Lima",
    username: "canary",
    email: "canary@example.com",
    password: given["user's password"],
    state: "ACTIVE",
  };
  await done(users, { body: person });
  const login = (username: string, password: string) =>
    call("/api/v1/auth/login", { body: { username, password }, bearer: null });
  await login("canary", given["mistyped password"]);
  await login(given["password typed as a name"], given["user's password"]);
  await login("nobody", given["user's password"]);
  const { headers } = await login("canary", given["user's password"]);
  const cookie = headers.getSetCookie()[0]!.split(";")[0]!;
  const session = JSON.parse(
    (await call("/api/v1/auth/session", { headers: { cookie }, bearer: null }))
      .text,
  );
  const own = { cookie, "x-vmx-csrf": session.csrfToken, origin: proxy.url };
  await call("/api/v1/me", { bearer: null, headers: { cookie: `${cookie}x` } });
  await call("/api/v1/me", { bearer: null, headers: { cookie, "x-vmx-csrf": "wrong" }, body: {} });
  const passwords = [
    { currentPassword: given["mistyped password"], newPassword: given["user's next password"] },
    { currentPassword: given["user's password"], newPassword: "short" },
    { currentPassword: given["user's password"], newPassword: given["user's next password"] },
  ];
  for (const body of passwords) {
    await call("/api/v1/auth/password", { headers: own, body, bearer: null });
  }
  for (const bearer of [given["mistyped token"], `vmx_pat_${given["mistyped token"]}`]) {
    await call("/api/v1/me", { bearer });
    await call("/v1/models", { bearer });
  }
  const basic = Buffer.from(`canary:${given["user's password"]}`).toString("base64");
  await call("/api/v1/me", { bearer: null, headers: { authorization: `Basic ${basic}` } });

  // Secrets where they do not belong: in other members, in texts that are no JSON, in queries and headers.
  const connections = `${environmentPath}/ai-connections`;
  const secret = given["refused provider key"];
  const config = { apiKey: secret, baseUrl: provider.url };
  const made = { name: "refused", provider: "openai-compatible" };
  const wrong: [string, unknown][] = [
    [connections, { ...made, config: { ...config, apiKey: { value: secret } } }],
    [connections, { ...made, config: { ...config, apiKey: [secret] } }],
    [connections, { ...made, config: { ...config, apikey: secret } }],
    [connections, { ...made, config: { ...config, apiKey: `${secret} ${secret}` } }],
    [connections, { ...made, config: { ...config, apiKey: secret.repeat(200) } }],
    [connections, { ...made, config: { ...config, headers: { authorization: secret } } }],
    [connections, { ...made, config: { ...config, headers: { "bad name": secret } } }],
    [connections, { ...made, config: { ...config, headers: { x: `${secret}\r\nx: y` } } }],
    [connections, { ...made, config: { baseUrl: `http://user:${secret}@127.0.0.1/` } }],
    [connections, { ...made, config: { ...config, baseUrl: `http://127.0.0.1/#${secret}` } }],
    [connections, { ...made, config: secret }],
    [connections, { ...made, config, apiKey: secret }],
    [connections, { ...made, provider: "aws-bedrock", config: { secretAccessKey: secret } }],
    [connections, `{"name":"x","config":{"apiKey":${JSON.stringify(secret)}`],
    [connections, `{"apiKey":${secret}}`],
    [`${connections}/test`, { ...made, config: { ...config, baseUrl: "http://127.0.0.1:1" } }],
    [`${connections}/test`, { ...made, config: { ...config, baseUrl: "http://169.254.169.254" } }],
    [users, { ...person, username: "other", password: { is: given["user's password"] } }],
    [users, { ...person, pasword: given["user's password"] }],
    [users, `{"password":"${given["mistyped password"]}`],
    ["/api/v1/auth/login", `{"username":"canary","password":${given["mistyped password"]}}`],
    ["/api/v1/auth/login", { username: "canary", passwort: given["mistyped password"] }],
    ["/api/v1/auth/login", { username: ["canary"], password: [given["mistyped password"]] }],
    ["/api/v1/me/tokens", { name: "x", value: given["mistyped token"] }],
    [`${environmentPath}/api-keys`, { name: "x", value: given["mistyped key"] }],
  ];
  for (const [path, body] of wrong) {
    const { status, text } = await call(path, { body, headers: { "idempotency-key": random(8) } });
    if (status < 300 && !path.endsWith("/test")) throw new Error(`${path} took it: ${text}`);
  }
  const plugin = (name: string) => `/api/v1/plugins/${encodeURIComponent(name)}`;
  for (const name of ["@vmx/metrics-questdb", "@vmx/identity-oidc", "@vmx/capacity-redis"]) {
    await call(plugin(name));
    await call(plugin(name), { method: "PATCH", body: { settings: { url: secret, x: secret } } });
    await call(plugin(name), { method: "PATCH", body: { settings: { clientSecret: secret } } });
  }
  await call(
    `/api/v1/workspaces?apiKey=${encodeURIComponent(secret)}&name[]=${secret.slice(0, 18)}`,
  );
  await call("/api/v1/me", { headers: { "x-api-key": secret, "x-vmx-csrf": secret } });
}

async function federatedLogins(): Promise<void> {
  await call("/api/v1/auth/options", { bearer: null });
  for (const accept of ["text/html", "application/json"]) {
    for (const mood of issuerMoods) {
      const begun = await call("/api/v1/auth/oidc/start", { bearer: null, headers: { accept } });
      const state = new URL(begun.headers.get("location")!).searchParams.get("state")!;
      const cookie = begun.headers.getSetCookie()[0]!.split(";")[0]!;
      const query = new URLSearchParams({ code: mood, state });
      await call(`/api/v1/auth/oidc/callback?${query}`, {
        bearer: null,
        headers: { accept, cookie },
      });
    }
  }
}

/** Calls models in every dialect, of providers in every mood. */
async function dataPlane(): Promise<{ connections: string[] }> {
  const path = `${environmentPath}/ai-connections`;
  const headers = { "x-canary": given["provider header"] };
  const baseUrl = provider.url;
  const configs: [string, string, unknown][] = [
    ["plain", "openai-compatible", { baseUrl, apiKey: given["provider key"], headers }],
    ["awkward", "openai-compatible", { baseUrl, apiKey: given["awkward provider key"] }],
    ["vendor", "openai", { baseUrl, apiKey: given["provider key"], headers }],
    ["messages", "anthropic", { baseUrl, apiKey: given["awkward provider key"] }],
    ["content", "gemini", { baseUrl, apiKey: given["awkward provider key"], headers }],
    ["converse", "aws-bedrock", {
      region: "us-east-1",
      baseUrl,
      accessKeyId: given["AWS access key"],
      secretAccessKey: given["AWS secret"],
      sessionToken: given["AWS session token"],
    }],
  ];
  const connections: string[] = [];
  for (const [name, kind, config] of configs) {
    const body = { name, provider: kind, config };
    const { connectionId } = await done(path, { body });
    connections.push(connectionId);
    await call(`${path}/${connectionId}/test`, { body: { model: "error-400" } });
    await call(`${path}/${connectionId}/models`);
    await call(`${path}/${connectionId}`, {
      method: "PATCH",
      body: { config: { baseUrl: "http://127.0.0.1:1/v1" } },
    });
  }
  // The second time the answer is a stored one, which shows nothing.
  const twice = { body: { name: "canary" }, headers: { "idempotency-key": random(8) } };
  const app = await done(`${environmentPath}/api-keys`, twice);
  await done(`${environmentPath}/api-keys`, twice);
  const rolled = await done(`${environmentPath}/api-keys/${app.apiKeyId}/roll`, { body: {} });
  // Its processes learn of a key within their next poll.
  await until(async () => (await call("/v1/models", { bearer: rolled.value })).status === 200);
  await call("/v1/models", { bearer: app.value });

  const key = rolled.value as string;
  const ask = async (model: string, options: Partial<Call> & { stream?: boolean } = {}) => {
    const { stream = false, ...rest } = options;
    const body = { model, stream, max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
    const vmx = { timeoutMs: 1_500, metadata: { from: "canary" } };
    return await call("/v1/chat/completions", { body: { ...body, vmx }, bearer: key, ...rest })
      .catch(() => undefined);
  };
  const asked = configs.flatMap(([name]) =>
    providerMoods.flatMap((mood) => [
      () => ask(`${name}/${mood}`),
      () => ask(`${name}/${mood}`, { stream: true }),
    ])
  );
  const own = { "x-vmx-timeout-ms": "1500" };
  for (const mood of ["error-400", "error-401", "error-code", "error-deep", "not-http"]) {
    for (const [name] of configs) {
      const model = `${name}/${mood}`;
      const content = [{ role: "user", content: "hi" }];
      asked.push(
        () =>
          call("/v1/messages", {
            bearer: null,
            headers: { ...own, "x-api-key": key },
            body: { model, max_tokens: 9, messages: content },
          }),
        () => call("/v1/responses", { bearer: key, headers: own, body: { model, input: "hi" } }),
        () => call("/v1/embeddings", { bearer: key, headers: own, body: { model, input: "hi" } }),
        () =>
          call(`/v1beta/models/${encodeURIComponent(model)}:generateContent?key=${key}`, {
            bearer: null,
            headers: own,
            body: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
          }),
        () =>
          call(`/model/${encodeURIComponent(model)}/converse`, {
            bearer: key,
            headers: own,
            body: { messages: [{ role: "user", content: [{ text: "hi" }] }] },
          }),
      );
    }
  }
  // A caller's own credential in wrong places, and texts that are no JSON.
  const secret = given["mistyped key"];
  asked.push(
    () => call("/v1/chat/completions", { bearer: key, body: `{"api_key":"${secret}` }),
    () => call("/v1/chat/completions", { bearer: secret, body: { model: "plain/x" } }),
    () => call(`/v1/models?key=${secret}`, { bearer: null }),
    () => call("/v1/models", { bearer: null, headers: { "x-goog-api-key": secret } }),
    () =>
      ask("plain/error-400", { headers: { "x-api-key": secret, cookie: `vmx_session=${secret}` } }),
  );
  // What is planted goes where requests go: through the answer, the record, the provider and the telemetry.
  const words = `${planted} ${Array.from({ length: 150 }, () => random(8)).join(" ")}`;
  const message = [{ role: "user", content: words }];
  asked.push(
    () =>
      call("/v1/chat/completions", {
        bearer: key,
        body: { model: `echo/${planted}`, messages: message },
      }),
    () => call("/v1/chat/completions", { bearer: key, body: { model: "demo", messages: message } }),
    () =>
      call("/v1/chat/completions", {
        bearer: key,
        body: { model: "plain/error-400", messages: message },
      }),
  );
  await inTurns(asked, 12);
  await done("/api/v1/workspaces", { body: { name: "planted", description: planted } });
  await postgres.query(`select '${planted}'`);
  await store.command(`SET planted ${planted}`);
  return { connections };
}

/** Waits for something for a minute at most. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const from = performance.now(); !await Promise.resolve(holds()).catch(() => false);) {
    if (performance.now() - from > 60_000) throw new Error(`It does not come true: ${holds}`);
    await delay(100);
  }
}

/** Runs calls, some at a time. */
async function inTurns(calls: readonly (() => Promise<unknown>)[], atOnce: number): Promise<void> {
  const left = [...calls];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = left.shift(); next; next = left.shift()) await next().catch(() => {});
  }));
}

/** Reads whatever can be read. */
async function readEverything(): Promise<void> {
  const audit = `${environmentPath}/audit`;
  const dateRange = {
    start: new Date(Date.now() - 3_600_000).toISOString(),
    end: new Date(Date.now() + 60_000).toISOString(),
  };
  const usage = {
    filter: { dateRange },
    agg: { requestCount: "sum" },
    dimensions: ["model", "connectionId"],
  };
  const paths = [
    ...["/readyz", "/healthz", "/api/v1/system", "/api/v1/plugins", "/api/v1/activity?limit=200"],
    ...["/api/v1/users", "/api/v1/me/tokens", "/api/v1/roles", "/api/v1/ai-providers"],
    ...["/api/v1/auth/options", "/metrics", "/api/v1/openapi.json", "/api/docs", "/"],
    ...["ai-connections", "ai-resources", "api-keys", "activity?limit=200", "capacity"].map((
      name,
    ) => `${environmentPath}/${name}`),
    `${audit}/metadata-values?key=from`,
  ];
  for (const path of paths) await call(path);
  for (const format of ["jsonl", "csv"]) {
    keep("exports", `audit as ${format}`, (await call(`${audit}/export?format=${format}`)).text);
  }
  keep("exports", "usage", (await call(`${environmentPath}/usage/export`, { body: usage })).text);
  let cursor: string | undefined;
  const requests: string[] = [];
  do {
    const page = await call(`${audit}?limit=100${cursor ? `&cursor=${cursor}` : ""}`);
    if (page.status !== 200) return;
    keep("audit", "the list", page.text);
    const { data, nextCursor } = JSON.parse(page.text);
    requests.push(...data.map(({ requestId }: { requestId: string }) => requestId));
    cursor = nextCursor ?? undefined;
  } while (cursor);
  await inTurns(
    requests.map((id) => async () => {
      keep("audit", `the record ${id}`, (await call(`${audit}/${id}`)).text);
    }),
    8,
  );
  notes.push(`${requests.length} records`);
}

async function commands(): Promise<void> {
  const variables = {
    ...environment(0),
    VMX_BASE_URL: proxy.url,
    VMX_TOKEN: given["administrator's token"],
    XDG_CONFIG_HOME: join(folder, "config"),
  };
  const calls = [
    ["doctor", "-o", "json"],
    ["get", "workspaces", "-o", "json"],
    ["get", "connections", "-o", "yaml"],
    ["describe", "connection", "plain"],
    ["get", "keys", "-o", "json"],
    ["create", "connection", "typed", "--provider", "groq", "--secret-from-env", "apiKey=TYPED"],
    ["login", proxy.url, "--username", "canary", "--password-from-env", "TYPED"],
  ];
  await inTurns(
    calls.map((args) => async () => {
      const { out, talk } = await run([entry, ...args], {
        ...variables,
        TYPED: given["refused provider key"],
      });
      keep("command line", `vmx ${args.join(" ")}`, out + talk);
    }),
    2,
  );
}

/** Takes the stores away, one after the other, and asks meanwhile. */
async function outages(connections: readonly string[]): Promise<void> {
  const ask = async () => {
    for (const model of ["plain/error-400", "awkward/stream-error", "demo"]) {
      const messages = [{ role: "user", content: planted }];
      const body = { model, messages, vmx: { timeoutMs: 1_500 } };
      await call("/v1/chat/completions", { body, bearer: firstKey }).catch(() => {});
    }
    await call(`${environmentPath}/ai-connections/${connections[0]}`, {
      method: "PATCH",
      body: { config: { apiKey: given["refused provider key"] } },
    }).catch(() => {});
    const body = { username: "canary", password: given["mistyped password"] };
    await call("/api/v1/auth/login", { body, bearer: null }).catch(() => {});
    for (const path of ["/readyz", "/api/v1/system", `${environmentPath}/ai-connections`]) {
      await call(path).catch(() => {});
    }
  };
  const password = JSON.stringify(given["Redis password"]);
  await store.command("CONFIG SET requirepass another-password-for-a-while");
  await store.command("CLIENT KILL USER default");
  await ask();
  await store.command(`CONFIG SET requirepass ${password}`);

  await postgres.stop();
  await ask();
  // What waits for the database lies in the data folder.
  const spool = join(folder, "data/spool");
  await until(() => filesOf(spool).some((file) => readFileSync(file).includes(planted)));
  readFolder("data folder", join(folder, "data"), "without the database");
  await postgres.start();
  await until(async () => (await call(`${environmentPath}/audit`)).status === 200);
}

async function failedStarts(): Promise<void> {
  const full = environment(0);
  const wrong: Record<string, string>[] = [
    { DATABASE_URL: postgres.url.replace("postgres://vmx", "postgres://stranger") },
    { DATABASE_URL: postgres.url.replace("postgres://", "postgre://") },
    { DATABASE_URL: `${postgres.url.replace("/canary", "/canary?sslmode=require")}` },
    { REDIS_URL: store.url.replace("redis://", "http://") },
    { REDIS_URL: store.url.replace(/:\d+\/0$/, ":1/0") },
    { VMX_ENCRYPTION_KEYS: `1:${given["next master key"]},2:${given["master key"]}` },
    { VMX_ENCRYPTION_KEYS: `2:${given["next master key"]}` },
    { VMX_ENCRYPTION_KEYS: `0:${given["master key"]}` },
    { VMX_ENCRYPTION_KEYS: `1:${given["master key"]},1:${given["next master key"]}` },
    { VMX_ADMIN_TOKEN: `${given["administrator's token"]} with blanks` },
    { OIDC_FEDERATED_ISSUER: `no url ${given["OIDC client secret"]}` },
  ];
  await inTurns(
    wrong.map((variables) => async () => {
      const names = Object.keys(variables).join();
      const settings = { ...full, ...variables, DATA_DIR: join(folder, random(4)) };
      // Some start all the same, and complain; a moment is enough for that.
      const { output } = await failToStart(settings).catch(({ message }) => ({ output: message }));
      keep("log", `a start with a wrong ${names}`, output);
    }),
    2,
  );
}

async function collect(): Promise<void> {
  keep("log", "the gateway's output", gateway!.output());
  for (const answer of proxy.answers) {
    const model = /^x-vmx-model: (.*)$/m.exec(answer.head)?.[1] ?? "";
    const place = `${answer.method} ${answer.path} ${answer.status} ${model}`;
    const allowed = reveal(answer.path, answer);
    keep("answers", `head of ${place}`, answer.head, allowed);
    keep("answers", `body of ${place}`, answer.body, allowed);
  }
  for (const { path, headers, body } of collector.received) {
    const own = `Bearer ${given["collector header"]}`;
    const others = Object.entries(headers).filter(([, value]) => value !== own);
    keep("spans and metrics", path, JSON.stringify(others));
    keep("spans and metrics", path, body);
  }
  for (const { path, headers, body } of provider.received) {
    keep("provider's requests", path, `${path}\n${JSON.stringify(withoutOwn(headers))}`);
    keep("provider's requests", path, body);
  }
  keep("shared state", "commands", Buffer.concat(store.monitored));
  await store.command("SAVE");
  keep("shared state", "the file", readFileSync(store.file));
  await postgres.query("checkpoint");
  keep("database dump", "pg_dumpall", await postgres.dump());
  await postgres.stop();
  readFolder("database files", join(postgres.folder, "data"), "at the end");
  // A name is looked up, whatever it is.
  const names = [given["password typed as a name"]];
  keep("database log", "log", readFileSync(join(postgres.folder, "log")), names);
  readFolder("data folder", join(folder, "data"), "at the end");
}

/** Headers of a provider without those that carry its own credentials. */
function withoutOwn(headers: Readonly<Record<string, string>>): Record<string, string> {
  const own = new Set([
    ...["provider key", "awkward provider key", "provider header"] as const,
    ...["AWS session token", "refused provider key", "first-run provider key"] as const,
  ].map((name) => given[name]));
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => {
      if (name === "authorization" && value.startsWith("AWS4-HMAC-SHA256")) {
        return !value.includes(`Credential=${given["AWS access key"]}/`);
      }
      return !own.has(value.replace(/^Bearer /, ""));
    }),
  );
}

function readFolder(kind: Kind, path: string, when: string): void {
  for (const file of filesOf(path)) {
    keep(kind, `${file.slice(path.length)} ${when}`, readFileSync(file));
  }
}

function filesOf(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) =>
    join(entry.parentPath, entry.name)
  );
}

/** Secrets an answer shows for the one time: they are searched for everywhere else. */
function reveal(path: string, { head, body }: { head: string; body: Buffer }): string[] {
  const isReveal = /\/(api-keys|tokens)(\/[^/]+(\/roll)?)?$/.test(path.split("?")[0]!);
  const text = body.toString("utf8");
  const found = [
    ...isReveal ? text.matchAll(/"value":"vmx_(?:sk|pat)_([A-Za-z0-9]+)"/g) : [],
    ...head.matchAll(/^set-cookie: vmx_session=([\w-]{20,})/gim),
    ...head.matchAll(/^set-cookie: (?:__Host-)?vmx_oidc=([\w-]{20,})/gim),
  ].map((match) => match[1]!);
  for (const value of found) {
    if (revealed.some((one) => one.value === value)) continue;
    revealed.push({ name: `shown by ${path}: ${value.slice(0, 4)}`, value });
  }
  return found;
}

function search(): void {
  const canaries = [
    ...Object.entries(given).map(([name, value]) => ({ name, value })),
    ...revealed,
    { name: "planted", value: planted },
  ];
  const values = new Map(canaries.map(({ name, value }) => [name, value]));
  const startedAt = performance.now();
  const scanner = createScanner(canaries);
  const shown = new Set<string>();
  hits = pieces.flatMap(({ kind, place, bytes, allowed = [] }) => {
    // Of the forms of one secret in one place the one that fits best tells most.
    const best = new Map<string, Hit>();
    for (const hit of scanner.scan(place, bytes)) {
      if ((best.get(hit.canary)?.share ?? 0) < hit.share) best.set(hit.canary, hit);
    }
    return [...best.values()].filter(({ canary }) => {
      const value = values.get(canary)!;
      return !allowed.includes(value) || shown.has(value) || !shown.add(value);
    }).map((hit) => ({ ...hit, kind }));
  });
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
  const tookMs = Math.round(performance.now() - startedAt);
  notes.push(`${bytes} bytes in ${pieces.length} pieces searched in ${tookMs} ms`);
}

test.each(kinds)("no secret is in: %s", (kind) => {
  const found = hits.filter((hit) => hit.kind === kind && hit.canary !== "planted");
  expect(found.slice(0, 20)).toEqual([]);
});

test.each(kinds)("what was planted is found in: %s", (kind) => {
  expect(hits.some((hit) => hit.kind === kind && hit.canary === "planted")).toBe(true);
});

test("every operation of the OpenAPI document was called", () => {
  expect(coverage).toMatchObject({ failed: [], missing: [] });
});

test("secrets that are shown once were shown, and are searched for", () => {
  console.log(notes.join("\n"));
  expect(revealed.length).toBeGreaterThan(5);
});
