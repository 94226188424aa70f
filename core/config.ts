import { resolve } from "node:path";
import ipaddr from "ipaddr.js";
import { databaseUrl } from "./database-url.ts";
import type { LogSettings } from "./log.ts";
import {
  choice,
  createSettingReader,
  type Environment,
  flag,
  integer,
  list,
  text,
  url,
} from "./setting-reader.ts";

/**
 * All settings of the installation, read from environment variables, frozen. Durations are in milliseconds; secrets
 * are `Secret` values, so a printed configuration tells none.
 */
export type Config = ReturnType<typeof readConfig>;

/** What the entry knows beside the environment. */
export interface ConfigSurroundings {
  /** Whether log lines go to a terminal, which decides `LOG_FORMAT=auto`. */
  readonly terminal?: boolean;
}

/**
 * Reads and checks every setting of core.
 *
 * @param root folder relative paths start from
 * @throws StartError naming each wrong variable, its rule and an example
 */
export function loadConfig(
  environment: Environment,
  root: string,
  surroundings: ConfigSurroundings = {},
): Config {
  return deepFreeze(readConfig(environment, root, surroundings));
}

function readConfig(environment: Environment, root: string, surroundings: ConfigSurroundings) {
  const read = createSettingReader(environment);
  const word = text("a name", "production", /^[\w.:-]+$/);
  const address = text("an address or network", "10.0.0.0/8");
  const web = ["http:", "https:"];

  const host = read.required(
    "HOST",
    text("an address or host name", "0.0.0.0", /^\S+$/),
    "127.0.0.1",
  );
  const format = read.required("LOG_FORMAT", choice("auto", "json", "text"), "auto");
  const config = {
    root,
    host,
    port: read.required("PORT", integer(0, 65535, 3000), 3000),
    dataDir: resolve(root, read.required("DATA_DIR", text("a folder", "/var/lib/vmx"), "./data")),
    log: {
      level: read.required<LogSettings["level"]>(
        "LOG_LEVEL",
        choice("info", "fatal", "error", "warn", "debug", "trace"),
        "info",
      ),
      format: format !== "auto"
        ? format
        : surroundings.terminal
        ? "text" as const
        : "json" as const,
      /** How the start introduces itself: as JSON only when the operator asks for it by name. */
      startFormat: format === "json" ? "json" as const : "text" as const,
    },
    database: {
      /** Undefined starts the embedded database. */
      url: read.secret("DATABASE_URL", databaseUrl),
      readUrl: read.secret("VMX_DATABASE_READ_URL", databaseUrl),
      schema: read.required(
        "VMX_DATABASE_SCHEMA",
        text("lower-case letters, digits and _", "vmx", /^[a-z_][a-z0-9_]{0,62}$/),
        "vmx",
      ),
      poolMax: read.required("VMX_DATABASE_POOL_MAX", integer(1, 1000, 10), 10),
    },
    /** Undefined means the address the gateway listens on. Without a slash at its end. */
    publicUrl: read.optional(
      "VMX_PUBLIC_URL",
      url("an http or https URL", "https://gateway.example.com", web),
    )?.replace(/\/+$/, ""),
    trustedProxies: read.required(
      "VMX_TRUSTED_PROXIES",
      list({ ...address, parse: (value) => isAddressOrNetwork(value) ? value : undefined }),
      [],
    ),
    corsOrigins: read.required(
      "VMX_CORS_ORIGINS",
      list({
        words: "an origin",
        example: "https://console.example.com",
        parse: (value) => URL.parse(value)?.origin === value ? value : undefined,
      }),
      [],
    ),
    maxBodyBytes: read.required(
      "VMX_MAX_BODY_BYTES",
      integer(1024, 2 ** 31, 104_857_600),
      104_857_600,
    ),
    processes: read.required("VMX_PROCESSES", integer(1, 256, 4), 1),
    bootstrap: {
      adminEmail: read.required(
        "VMX_ADMIN_EMAIL",
        text("an email address", "admin@example.com", /^[^\s@]+@[^\s@]+$/),
        "admin@localhost",
      ),
      adminPassword: read.secret(
        "VMX_ADMIN_PASSWORD",
        text("at least 8 characters", "<your password>", /^[^]{8,}$/),
      ),
      /** Bearer token of the bootstrap administrator. */
      adminToken: read.secret(
        "VMX_ADMIN_TOKEN",
        text("at least 32 characters without blanks", "<32 random characters>", /^\S{32,}$/),
      ),
      apiKey: read.secret(
        "VMX_BOOTSTRAP_API_KEY",
        text(
          "a key made by the gateway or at least 32 characters without blanks",
          "<32 random characters>",
          /^\S{32,}$/,
        ),
      ),
      configFile: read.optional(
        "VMX_BOOTSTRAP_CONFIG",
        text("a file name", "/etc/vmx/environment.yaml"),
      ),
      quiet: read.required("VMX_BOOTSTRAP_QUIET", flag, false),
      /** Variables a configuration document may read secrets from. */
      secretVariables: read.required(
        "VMX_CONFIG_SECRET_ENV",
        list(text("a variable name", "PROVIDER_KEY", /^[A-Za-z_]\w*$/)),
        [],
      ),
    },
    login: {
      local: read.required("VMX_LOCAL_LOGIN", flag, true),
      sessionIdleMs: 60_000 *
        read.required("VMX_SESSION_IDLE_MINUTES", integer(1, 100_000, 480), 480),
      sessionMaxMs: 86_400_000 * read.required("VMX_SESSION_MAX_DAYS", integer(1, 365, 7), 7),
      /** What becomes of a user who signs in through an identity provider. */
      federated: {
        defaultRole: read.required("OIDC_FEDERATED_DEFAULT_ROLE", word, "power-user"),
        /** Path of the claim that holds roles. */
        roleClaim: read.optional("VMX_OIDC_ROLE_CLAIM", text("a claim path", "groups", /^\S+$/)),
        roleMap: read.required(
          "VMX_OIDC_ROLE_MAP",
          list(text("value=role", "platform-team=admin", /^[^=]+=[^=]+$/)),
          [],
        ).map((pair) => ({ value: pair.split("=")[0]!.trim(), role: pair.split("=")[1]!.trim() })),
        linkByEmail: read.required("VMX_OIDC_LINK_BY_EMAIL", flag, false),
      },
    },
    /** Id of the encryption backend; undefined takes the default. */
    encryption: read.optional("VMX_ENCRYPTION_PROVIDER", word),
    /** Whether connections may use the host's own cloud identity. */
    ambientCredentials: read.required("VMX_AMBIENT_CREDENTIALS", choice("allow", "deny"), "deny"),
    egress: {
      privateRanges: read.required(
        "VMX_EGRESS_PRIVATE",
        choice("allow", "deny"),
        isLoopback(host) ? "allow" : "deny",
      ),
      allow: read.required(
        "VMX_EGRESS_ALLOW",
        list(text("a host or network", "llm.internal", /^[\w.:/[\]-]+$/)),
        [],
      ),
    },
    snapshotPollMs: read.required("VMX_SNAPSHOT_POLL_MS", integer(100, 60_000, 1000), 1000),
    capacity: {
      onStoreFailure: read.required(
        "VMX_CAPACITY_ON_STORE_FAILURE",
        choice("local", "allow", "deny"),
        "local",
      ),
      timeoutMs: read.required("VMX_CAPACITY_TIMEOUT_MS", integer(1, 10_000, 25), 25),
    },
    upstream: {
      connectTimeoutMs: read.required(
        "VMX_UPSTREAM_CONNECT_TIMEOUT_MS",
        integer(100, 600_000, 10_000),
        10_000,
      ),
      idleTimeoutMs: read.required(
        "VMX_UPSTREAM_IDLE_TIMEOUT_MS",
        integer(100, 3_600_000, 120_000),
        120_000,
      ),
      firstContentHoldMs: read.required(
        "VMX_FIRST_CONTENT_HOLD_MS",
        integer(0, 600_000, 30_000),
        30_000,
      ),
    },
    records: {
      maxPayloadBytes: read.required(
        "VMX_AUDIT_MAX_PAYLOAD_BYTES",
        integer(0, 104_857_600, 262_144),
        262_144,
      ),
      spoolMaxBytes: read.required(
        "VMX_SPOOL_MAX_BYTES",
        integer(1_048_576, 2 ** 50, 2 ** 31),
        2 ** 31,
      ),
      whenSpoolFull: read.required("VMX_SPOOL_FULL", choice("serve", "refuse"), "serve"),
    },
    usage: {
      sinks: read.required("VMX_USAGE_SINKS", list(word), ["database"]),
      querySink: read.required("VMX_USAGE_QUERY_SINK", word, "database"),
    },
    batch: {
      concurrency: read.required("VMX_BATCH_CONCURRENCY", integer(1, 10_000, 100), 100),
      leaseMs: 1000 * read.required("VMX_BATCH_LEASE_SECONDS", integer(10, 86_400, 120), 120),
    },
    metrics: {
      enabled: read.required("VMX_METRICS_ENABLED", flag, false),
      host: read.required("VMX_METRICS_HOST", text("an address", "0.0.0.0", /^\S+$/), "127.0.0.1"),
      port: read.required("VMX_METRICS_PORT", integer(0, 65535, 9464), 9464),
    },
    telemetry: {
      /** Whether message text goes on spans. */
      captureContent: read.required("VMX_OTEL_CAPTURE_CONTENT", flag, false),
      /** Whether trace context is sent to providers. */
      propagate: read.required("VMX_OTEL_PROPAGATE", flag, false),
    },
    drainMs: 1000 * read.required("VMX_DRAIN_SECONDS", integer(0, 86_400, 30), 30),
    /** Further folders with plugins. */
    pluginFolders: read.required("VMX_PLUGIN_DIRS", list(text("a folder", "/opt/vmx/plugins")), []),
    /** Variables core reads. */
    variables: read.names(),
  };
  read.finish();
  return config;
}

function isAddressOrNetwork(value: string): boolean {
  return value.includes("/") ? ipaddr.isValidCIDR(value) : ipaddr.isValid(value);
}

function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost")) return true;
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === "loopback";
}

function deepFreeze<Value>(value: Value): Value {
  const plain = typeof value === "object" && value !== null &&
    (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
  if (!plain) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
