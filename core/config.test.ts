import { inspect } from "node:util";
import { expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { StartError } from "./start-error.ts";
import { unknownVariables } from "./unknown-variables.ts";

const root = "/srv/gateway";

test("without any variable every setting has the documented default", () => {
  const { variables, ...config } = loadConfig({}, root);
  expect(variables).toContain("VMX_DRAIN_SECONDS");
  expect(config).toEqual({
    root,
    host: "127.0.0.1",
    port: 3000,
    dataDir: "/srv/gateway/data",
    log: { level: "info", format: "json", startFormat: "text" },
    database: { url: undefined, readUrl: undefined, schema: "vmx", poolMax: 10 },
    publicUrl: undefined,
    trustedProxies: [],
    corsOrigins: [],
    maxBodyBytes: 104_857_600,
    processes: 1,
    bootstrap: {
      adminEmail: "admin@localhost",
      adminPassword: undefined,
      adminToken: undefined,
      apiKey: undefined,
      configFile: undefined,
      quiet: false,
      secretVariables: [],
    },
    login: {
      local: true,
      sessionIdleMs: 28_800_000,
      sessionMaxMs: 604_800_000,
      federated: {
        defaultRole: "power-user",
        roleClaim: undefined,
        roleMap: [],
        linkByEmail: false,
      },
    },
    encryption: undefined,
    ambientCredentials: "deny",
    egress: { privateRanges: "allow", allow: [] },
    snapshotPollMs: 1000,
    capacity: { onStoreFailure: "local", timeoutMs: 25 },
    upstream: { connectTimeoutMs: 10_000, idleTimeoutMs: 120_000, firstContentHoldMs: 30_000 },
    records: { maxPayloadBytes: 262_144, spoolMaxBytes: 2_147_483_648, whenSpoolFull: "serve" },
    usage: { sinks: ["database"], querySink: "database" },
    batch: { concurrency: 100, leaseMs: 120_000 },
    metrics: { enabled: false, host: "127.0.0.1", port: 9464 },
    telemetry: { captureContent: false, propagate: false },
    drainMs: 30_000,
    pluginFolders: [],
  });
});

test("values are read in their types", () => {
  const config = loadConfig(
    {
      HOST: "0.0.0.0",
      PORT: "0",
      DATA_DIR: "/data",
      LOG_LEVEL: "DEBUG",
      VMX_PUBLIC_URL: "https://gateway.example.com/",
      VMX_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      VMX_CORS_ORIGINS: "https://a.example.com,http://localhost:5173",
      VMX_OIDC_ROLE_MAP: "platform=admin, everyone = read-only",
      VMX_METRICS_ENABLED: "true",
      VMX_PROCESSES: "",
    },
    root,
    { terminal: true },
  );
  expect(config).toMatchObject({
    port: 0,
    dataDir: "/data",
    log: { level: "debug", format: "text", startFormat: "text" },
    publicUrl: "https://gateway.example.com",
    trustedProxies: ["10.0.0.0/8", "::1"],
    corsOrigins: ["https://a.example.com", "http://localhost:5173"],
    login: {
      federated: {
        roleMap: [{ value: "platform", role: "admin" }, { value: "everyone", role: "read-only" }],
      },
    },
    egress: { privateRanges: "deny" },
    metrics: { enabled: true },
    processes: 1,
  });
});

test.each([
  ["127.0.0.1", "allow"],
  ["localhost", "allow"],
  ["::1", "allow"],
  ["[::1]", "allow"],
  ["0.0.0.0", "deny"],
  ["::", "deny"],
  ["10.1.2.3", "deny"],
])("on HOST=%s private addresses are by default: %s", (HOST, expected) => {
  expect(loadConfig({ HOST }, root).egress.privateRanges).toBe(expected);
});

test("all wrong values are told at once, with rule and example", () => {
  const load = () =>
    loadConfig({ VMX_SNAPSHOT_POLL_MS: "5", LOG_FORMAT: "xml", VMX_TRUSTED_PROXIES: "me" }, root);
  expect(load).toThrow(StartError);
  expect(load).toThrow(
    'VMX_SNAPSHOT_POLL_MS is "5" but must be a whole number from 100 to 60000, ' +
      "for example VMX_SNAPSHOT_POLL_MS=1000",
  );
  expect(load).toThrow('LOG_FORMAT is "xml" but must be one of auto, json, text');
  expect(load).toThrow('VMX_TRUSTED_PROXIES is "me" but must be a comma list, each an address');
});

test.each([
  ["PORT", "65536"],
  ["PORT", "3e3"],
  ["DATABASE_URL", "mysql://root@host/db"],
  ["VMX_DATABASE_SCHEMA", "Robert'; drop"],
  ["VMX_PUBLIC_URL", "gateway.example.com"],
  ["VMX_CORS_ORIGINS", "https://a.example.com/path"],
  ["VMX_ADMIN_PASSWORD", "short"],
  ["VMX_ADMIN_TOKEN", "short"],
  ["VMX_LOCAL_LOGIN", "maybe"],
  ["VMX_OIDC_ROLE_MAP", "admin"],
  ["VMX_EGRESS_ALLOW", "a host"],
])("%s=%s is refused by name", (name, value) => {
  expect(() => loadConfig({ [name]: value }, root)).toThrow(name);
});

test("secrets show neither in errors nor when the configuration is printed", () => {
  const secrets = {
    VMX_ADMIN_PASSWORD: "p-hidden-1",
    VMX_ADMIN_TOKEN: `t-hidden-${"x".repeat(32)}`,
    VMX_BOOTSTRAP_API_KEY: `k-hidden-${"x".repeat(32)}`,
    DATABASE_URL: "postgres://user:d-hidden@host/name",
  };
  const config = loadConfig(secrets, root);
  expect(inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toContain("hidden");
  expect(config.bootstrap.adminPassword?.reveal()).toBe("p-hidden-1");
  const wrong = { VMX_ADMIN_TOKEN: "hidden", DATABASE_URL: "hidden" };
  const error = (() => {
    try {
      return loadConfig(wrong, root) && "";
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(error).toContain("VMX_ADMIN_TOKEN must be at least 32 characters");
  expect(error).toContain("DATABASE_URL must be a PostgreSQL URL");
  expect(error).not.toContain("hidden");
});

test("the configuration is frozen to its depth", () => {
  const config = loadConfig({}, root);
  expect(() => Object.assign(config.upstream, { idleTimeoutMs: 1 })).toThrow(TypeError);
  expect(() => (config.usage.sinks as string[]).push("x")).toThrow(TypeError);
});

test("unknown VMX_ names are told with the name that was meant", () => {
  const known = [...loadConfig({}, root).variables, "VMX_ACME_KEY"];
  const environment = {
    VMX_DRAIN_SECOND: "1",
    VMX_ACME_KEY: "1",
    VMX_TOKEN: "1",
    VMX_API_KEY: "1",
    VMX_PORT_OF_HEAVEN: "1",
    PATH: "/bin",
  };
  expect(unknownVariables(environment, known)).toEqual([
    "VMX_DRAIN_SECOND is not a setting of this gateway; did you mean VMX_DRAIN_SECONDS?",
    "VMX_PORT_OF_HEAVEN is not a setting of this gateway",
  ]);
});
