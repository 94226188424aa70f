import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "./config.ts";
import type { Clock, Encryption } from "./contract/index.ts";
import { prepareDataFolder } from "./data-folder.ts";
import { defaultContributions } from "./default-plugins.ts";
import { createGateway } from "./create-gateway.ts";
import { createKnownSecrets } from "./gateway/known-secrets.ts";
import { connectionSecrets, createRedact } from "./gateway/redact.ts";
import { secretPaths } from "./host/configuration-schema.ts";
import { createEncryptionBackends } from "./host/encryption-backends.ts";
import { createPluginHost } from "./host/create-plugin-host.ts";
import { followSwitches, requiredPlugins } from "./host/follow-switches.ts";
import type { PluginHost } from "./host/plugin-host.ts";
import { requireContribution, requireShared, selectContribution } from "./host/select.ts";
import { openStoredSettings } from "./host/stored-settings.ts";
import type { HttpServer } from "./http/server.ts";
import { installationSecrets } from "./installation-secrets.ts";
import { createEgressGuard } from "./kit/egress.ts";
import { createHttpClient } from "./kit/http.ts";
import { Secret } from "./kit/secret.ts";
import { createLog, type RootLog } from "./log.ts";
import type { FirstRun } from "./management/bootstrap.ts";
import type { Environment } from "./setting-reader.ts";
import { exportingSinks } from "./telemetry/index.ts";
import { startStopwatch } from "./stopwatch.ts";
import type { Database } from "./store/database.ts";
import { refusedByDatabase } from "./store/refused-start.ts";
import type { EmbeddedDatabase } from "./store/embedded.ts";
import type { SnapshotLoader } from "./store/loader.ts";
import { tlsWarnings } from "./tls-warnings.ts";
import { unknownVariables } from "./unknown-variables.ts";
import { version } from "./version.ts";

/** A running gateway. */
export interface Kernel {
  readonly config: Config;
  readonly log: RootLog;
  readonly host: PluginHost;
  readonly database: Database;
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Where metrics are served, when they have a port of their own. */
  readonly metricsUrl: string | undefined;
  /** What the first run created, secrets included; undefined on later starts. */
  readonly firstRun: FirstRun | undefined;
  /** Folder of the embedded database when it lies outside the data folder. */
  readonly databaseOutside: string | undefined;
  /** Milliseconds from the call to readiness. */
  readonly startedInMs: number;
  /** Writes what is collected in memory. */
  flush(): Promise<void>;
  /** Drains and stops; resolves when everything is closed. */
  stop(): Promise<void>;
}

/** Milliseconds in which kept connections learn that the gateway leaves, before requests are refused. */
const farewellMs = 1_000;

/**
 * Starts a gateway: settings, plugins, database, snapshot, HTTP. Holds no global state, so a process can run several.
 *
 * Throws a StartError with a plain sentence when it cannot start.
 *
 * @param environment variables that plugins' manifests ask for
 */
export async function createKernel(config: Config, environment: Environment): Promise<Kernel> {
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const known = createKnownSecrets(clock);
  let redact = createRedact([], known.values);
  const log = createLog({ ...config.log, redact: (line) => redact(line) });
  const watch = startStopwatch(log);
  const closing: (() => Promise<unknown> | void)[] = [];
  const stopAll = async () => {
    for (const close of closing.reverse()) {
      await Promise.resolve().then(close).catch((error: unknown) =>
        log.error("Cannot close a part of the gateway", { error })
      );
    }
  };

  try {
    prepareDataFolder(config.dataDir);
    // The database server needs a second of its own: everything that can be loaded meanwhile is.
    const embedded = startDatabaseServer(config, log);
    embedded?.then((server) => closing.push(() => server.stop()), () => {});
    const modules = loadStore();
    const shutdown = new AbortController();
    const guard = createEgressGuard(config.egress);
    const http = createHttpClient({ ...config.upstream, guard, clock });
    closing.push(() => http.close());
    const switched = Promise.withResolvers<void>();
    let stored: SnapshotLoader | undefined = undefined;
    const host = await createPluginHost({
      root: config.root,
      coreVersion: version,
      environment,
      folders: config.pluginFolders,
      log,
      fetch: http.fetch,
      http,
      clock,
      dataDir: config.dataDir,
      signal: shutdown.signal,
      switched: switched.promise,
      settings: async (pluginId, schema) => {
        // The key ring opens the settings of the others; its own come from the environment.
        if (!stored || pluginId === host.find("encryptions", encryptionId)?.pluginId) return;
        const found = await openStoredSettings(stored.current(), pluginId, schema, encryption);
        if (found) known.use(`settings of ${pluginId}`, found.secrets);
        return found;
      },
    });
    known.use("variables", installationSecrets(config, host, environment));
    redact = createRedact(credentialPatterns(host), known.values);
    for (const text of unknownVariables(environment, [...config.variables, ...host.variables()])) {
      log.warn(text);
    }
    const urls = {
      DATABASE_URL: config.database.url?.reveal(),
      VMX_DATABASE_READ_URL: config.database.readUrl?.reveal(),
    };
    for (const text of tlsWarnings(urls, environment)) log.warn(text);
    watch.lap("plugins");

    const encryptionId = selectContribution(host, "encryptions", environment, {
      named: config.encryption,
      otherwise: defaultContributions.encryptions,
    });
    const sharedStateId = selectContribution(host, "sharedStates", environment, {
      otherwise: defaultContributions.sharedStates,
    });
    const capacityStoreId = selectContribution(host, "capacityStores", environment, {
      otherwise: defaultContributions.capacityStores,
    });
    const encryption = createEncryptionBackends(host, encryptionId);
    const chosen = { capacityStores: capacityStoreId, sharedStates: sharedStateId };
    const required = requiredPlugins(host, { ...chosen, encryptions: encryptionId });
    if (config.processes > 1) await requireShared(host, chosen, config.processes);
    const server = await embedded;
    watch.lap("database server");
    const { openDatabase, createSnapshotLoader, createSnapshotFile, bootstrap, checkKeys } =
      await modules;
    watch.lap("modules");
    const database = openDatabase({
      url: server?.url ?? config.database.url!.reveal(),
      readUrl: config.database.readUrl?.reveal(),
      schema: config.database.schema,
      poolMax: config.database.poolMax,
    }, log.named("database"));
    closing.push(() => database.close());
    // A key ring that does not work stops the start before anything is written with it.
    await requireContribution(host, "encryptions", encryptionId);

    let firstRun: FirstRun | undefined;
    const loader = createSnapshotLoader({
      database,
      pollMs: config.snapshotPollMs,
      log: log.named("snapshot"),
      secretFields: (provider, settings) =>
        secretPaths(host.find("providers", provider)?.configuration ?? {}, settings),
      openSecret: async (sealed, { environmentId, connectionId, field }) => {
        const plain = await (await encryption()).open(sealed, {
          environment: environmentId,
          owner: connectionId,
          field,
        });
        return new Secret(Buffer.from(plain).toString("utf8"));
      },
      file: createSnapshotFile({
        path: join(config.dataDir, "snapshot"),
        log: log.named("snapshot"),
        ...fileCipher(encryption),
      }),
      prepare: async () => {
        await database.migrate();
        watch.lap("migrations");
        await checkKeys({ database, host, chosen: encryptionId });
        firstRun = await bootstrap({ database, host, encryption, config, environment, log });
        watch.lap("first run");
      },
    });
    stored = loader;
    loader.onChange((snapshot) => known.use("connections", connectionSecrets(snapshot)));
    await loader.start().catch((error: unknown) => {
      throw refusedByDatabase(error, config.database) ?? error;
    });
    closing.push(() => loader.stop());
    followSwitches(host, loader, required, log);
    switched.resolve();
    watch.lap("snapshot");

    const gateway = await createGateway({
      capacityStore: await requireContribution(host, "capacityStores", capacityStoreId),
      prioritization: selectContribution(host, "prioritizations", environment, {
        otherwise: defaultContributions.prioritizations,
      }),
      config,
      log,
      host,
      database,
      loader,
      encryption,
      sharedState: sharedStateId,
      identityProvider: selectContribution(host, "identityProviders", environment, {
        otherwise: defaultContributions.identityProviders,
      }),
      requiredPlugins: required,
      exportingSinks: exportingSinks(host, environment, config.usage.sinks),
      exposingSink: defaultContributions.metrics,
      guard,
      fetch: http.fetch,
      clock,
      redact,
    });
    const httpServer: HttpServer = await gateway.listen();
    watch.lap("listening");

    return {
      config,
      log,
      host,
      database,
      url: httpServer.url,
      metricsUrl: gateway.metricsUrl,
      firstRun,
      databaseOutside: server?.isOutside ? server.location : undefined,
      startedInMs: watch.total(),
      flush: () => gateway.flush(),
      async stop() {
        log.info("Stopping: running requests are finished first");
        gateway.drain();
        // Kept connections and load balancers need a moment to learn that this process leaves.
        if (!gateway.isIdle()) await delay(farewellMs);
        gateway.refuse();
        const closed = httpServer.stop(config.drainMs + farewellMs);
        await gateway.finish(config.drainMs);
        await closed;
        shutdown.abort();
        await host.dispose();
        await stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

function startDatabaseServer(config: Config, log: RootLog): Promise<EmbeddedDatabase> | undefined {
  if (config.database.url) return undefined;
  return import("./store/embedded.ts").then(({ startEmbedded }) =>
    startEmbedded({ dataDir: config.dataDir, log: log.named("database") })
  );
}

async function loadStore() {
  const [database, loader, file, first, keys] = await Promise.all([
    import("./store/database.ts"),
    import("./store/loader.ts"),
    import("./store/snapshot-file.ts"),
    import("./management/bootstrap.ts"),
    import("./management/keys/check-keys.ts"),
  ]);
  return { ...database, ...loader, ...file, ...first, ...keys };
}

function credentialPatterns(host: PluginHost): string[] {
  return host.contributions("providers").flatMap(({ entry }) =>
    (entry["secretPatterns"] ?? []) as string[]
  );
}

/** The last snapshot on disk is sealed under the key ring like any secret of the installation. */
function fileCipher(encryption: () => Promise<Encryption>) {
  const context = { environment: "installation", owner: "snapshot", field: "content" };
  return {
    seal: async (plain: Uint8Array) => (await encryption()).seal(plain, context),
    open: async (sealed: string) => (await encryption()).open(sealed, context),
  };
}
