import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createCapacity, createCounterCopies, createForgetRemoved } from "./capacity/index.ts";
import type { Config } from "./config.ts";
import { type CapacityStore, type Clock, GatewayError } from "./contract/index.ts";
import { readCapacityUsage } from "./gateway/capacity-usage.ts";
import { createCircuits } from "./gateway/circuits.ts";
import type { Exchange, GatewayServices } from "./gateway/exchange.ts";
import { createFetchMedia } from "./gateway/fetch-media.ts";
import { createGatewayView } from "./gateway/gateway-view.ts";
import { createAnswerHomes } from "./gateway/provider-state.ts";
import type { Redact } from "./gateway/redact.ts";
import { watchedCapacity } from "./gateway/watched-capacity.ts";
import { createRetryBudget } from "./gateway/retry-budget.ts";
import { createRefusals } from "./gateway/refusals.ts";
import { createRouter } from "./gateway/router.ts";
import type { EncryptionBackends } from "./host/encryption-backends.ts";
import type { RequiredPlugins } from "./host/follow-switches.ts";
import type { PluginHost } from "./host/plugin-host.ts";
import { createTryModel } from "./gateway/try-model.ts";
import { createConsole } from "./http/console.ts";
import { findConsole } from "./http/console-files.ts";
import { createDataPlane } from "./http/data-plane.ts";
import { type HttpServer, listen } from "./http/server.ts";
import { createIdentifyPerson } from "./http/identify-person.ts";
import { createAuthorizeSystem, showsCredential } from "./http/may-read-system.ts";
import { createMetricsMiddleware, listenForMetrics } from "./http/metrics.ts";
import { createManagement } from "./http/management.ts";
import { createIsTrusted, createSourceAddress } from "./http/source-address.ts";
import type { EgressGuard } from "./kit/egress.ts";
import type { RootLog } from "./log.ts";
import { createAllocation } from "./prioritization/index.ts";
import { createPricing } from "./records/cost/pricing.ts";
import { createDiscoveredRecorder } from "./records/discovered-limits.ts";
import { createRecords } from "./records/create-records.ts";
import { createUseRecorder } from "./records/last-used.ts";
import { startRollups } from "./records/usage/rollups.ts";
import { createUsageSinks, databaseSink } from "./records/usage/sinks.ts";
import { createLiveSamples, exchangeSamples } from "./routing/index.ts";
import { createSystemStatus } from "./system-status.ts";
import { createExpose, createTelemetry, observeProcess, startExports } from "./telemetry/index.ts";
import type { Database } from "./store/database.ts";
import type { SnapshotLoader } from "./store/loader.ts";
import { version } from "./version.ts";

const keepAliveMs = 10_000;
const maxAnswerBytes = 256 * 1024 * 1024;

/** The parts a running gateway is made of. */
export interface GatewayParts {
  readonly config: Config;
  readonly log: RootLog;
  readonly host: PluginHost;
  readonly database: Database;
  readonly loader: SnapshotLoader;
  readonly encryption: () => Promise<EncryptionBackends>;
  readonly capacityStore: CapacityStore;
  /** Id of the prioritization in use. */
  readonly prioritization: string;
  /** Id of the shared state in use. */
  readonly sharedState: string;
  /** Id of the identity provider in use, configured or not. */
  readonly identityProvider: string;
  readonly requiredPlugins: RequiredPlugins;
  /** Ids of the metric sinks that export metrics and traces. */
  readonly exportingSinks: readonly string[];
  /** Id of the metric sink that answers the metrics port. */
  readonly exposingSink: string;
  readonly guard: EgressGuard;
  /** `fetch` through the egress guard. */
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly redact: Redact;
}

/** Both planes, ready to listen. */
export interface Gateway {
  /** Where metrics are served, when they have a port of their own. */
  readonly metricsUrl: string | undefined;
  listen(): Promise<HttpServer>;
  /** From now on readiness says that the gateway leaves. */
  drain(): void;
  /** From now on new requests are refused. */
  refuse(): void;
  /** Whether no request is running. */
  isIdle(): boolean;
  /** Writes what is collected in memory. */
  flush(): Promise<void>;
  /** Waits for running requests at most `graceMs` milliseconds; the rest is ended with an error frame. */
  finish(graceMs: number): Promise<void>;
}

/** Puts both planes together. */
export async function createGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, log, host, loader, clock } = parts;
  const running = new Set<Exchange>();
  let draining = false;
  let refusing = false;

  const telemetry = createTelemetry({
    propagate: config.telemetry.propagate,
    providerName: (id) => String(host.find("providers", id)?.entry["telemetryName"] ?? id),
    log: log.named("telemetry"),
  });
  const circuits = createCircuits(clock);
  const processId = randomUUID();
  const samples = createLiveSamples(clock);
  const leaveSamples = exchangeSamples({
    samples,
    sharedState: () => host.get("sharedStates", parts.sharedState),
    processId,
    log: log.named("routing"),
  });
  const environments = () => loader.current().environments.keys();
  const sharedState = () => host.get("sharedStates", parts.sharedState);
  const capacity = createCapacity({
    ...config.capacity,
    store: parts.capacityStore,
    sharedState,
    processId,
    environments,
    lastShares: (connectionId) => allocation.lastShares(connectionId),
    onStoreBack: () => void copies.restore(),
    onReserved: (ms) => telemetry.noteStoreCall(ms),
    onExpired: (count) => telemetry.noteExpired(count),
    clock,
    log: log.named("capacity"),
  });
  const allocation = createAllocation({
    store: capacity.admission.store,
    prioritization: () => host.get("prioritizations", parts.prioritization),
    sharedState,
    snapshot: () => loader.current(),
    processId,
    clock,
    log: log.named("prioritization"),
  });
  const copies = createCounterCopies({
    database: parts.database,
    store: capacity.admission.store,
    sharedState,
    processId,
    environments,
    clock,
    log: log.named("capacity"),
  });
  const discovered = createDiscoveredRecorder({
    database: parts.database,
    discovered: capacity.discovered,
    log,
  });
  const uses = createUseRecorder({ database: parts.database, clock, log });
  const pricing = createPricing({
    statements: parts.database.statements,
    host,
    clock,
    log: log.named("pricing"),
  });
  const records = createRecords({
    price: pricing.price,
    ...(config.usage.sinks.includes(databaseSink) ? {} : { writers: [] }),
    dataDir: config.dataDir,
    settings: config.records,
    statements: parts.database.statements,
    host,
    sharedState,
    redact: parts.redact,
    environmentSettings: () =>
      [...loader.current().environments.values()].map(({ settings }) => settings),
    clock,
    log: log.named("records"),
  });
  const status = createSystemStatus({
    loader,
    database: parts.database,
    records,
    capacity,
    host,
    isDraining: () => draining,
    clock,
  });
  const usageSinks = createUsageSinks(config.usage.sinks, host, clock, log.named("usage"));
  records.onRecord(usageSinks.note);
  const management = createManagement({
    status,
    onTokenUsed: uses.token,
    capacity: { ...capacity, copy: (environmentId) => copies.copy(environmentId) },
    tryModel: createTryModel(host, parts.redact),
    allocation,
    gateway: createGatewayView(() => services),
    records,
    pricing,
    usageQuerySink: config.usage.sinks.includes(config.usage.querySink)
      ? config.usage.querySink
      : undefined,
    database: parts.database,
    loader,
    host,
    encryption: parts.encryption,
    requiredPlugins: parts.requiredPlugins,
    egress: parts.guard,
    clock,
    sharedState: () => host.get("sharedStates", parts.sharedState),
    log: log.named("management"),
    sourceAddress: createSourceAddress(config.trustedProxies),
    isTrustedProxy: createIsTrusted(config.trustedProxies),
    config: {
      version,
      publicUrl: config.publicUrl,
      localLogin: config.login.local,
      federated: { provider: parts.identityProvider, ...config.login.federated },
      adminToken: config.bootstrap.adminToken?.reveal(),
      session: { idleMs: config.login.sessionIdleMs, maxMs: config.login.sessionMaxMs },
    },
  });
  const services: GatewayServices = {
    snapshot: () => loader.current(),
    host,
    clock,
    log: log.named("gateway"),
    limits: {
      maxBodyBytes: config.maxBodyBytes,
      maxAnswerBytes,
      firstContentHoldMs: config.upstream.firstContentHoldMs,
      keepAliveMs,
    },
    refusals: createRefusals(clock),
    circuits,
    retryBudget: createRetryBudget(clock),
    capacity,
    allocation,
    samples,
    router: createRouter({ host, clock, samples, capacityUsage: readCapacityUsage(capacity.view) }),
    fetchMedia: createFetchMedia(parts.fetch, parts.guard),
    answerHomes: createAnswerHomes(
      () => host.get("sharedStates", parts.sharedState),
      config.capacity.timeoutMs,
    ),
    identifyPerson: createIdentifyPerson(
      management.access,
      () => loader.current(),
      management.origin,
    ),
    redact: parts.redact,
    onStarted(exchange) {
      running.add(exchange);
      telemetry.onStarted(exchange);
    },
    legHeaders: telemetry.legHeaders,
    onTargeted: records.onTargeted,
    onFirstContent: records.onFirstContent,
    onFinished(outcome) {
      const { exchange } = outcome;
      running.delete(exchange);
      telemetry.onFinished(outcome, records.onFinished(outcome));
      if (exchange.caller?.kind === "api-key") uses.apiKey(exchange.caller.apiKey.apiKeyId);
      return records.written();
    },
  };

  // Before the first request: what a restart forgets must not be used twice.
  await copies.restore();
  const forgetRemoved = createForgetRemoved(capacity.admission.store);
  forgetRemoved(loader.current());
  loader.onChange(forgetRemoved);
  capacity.start();
  capacity.view.watch(() => watchedCapacity(loader.current()));
  allocation.start();
  copies.start();
  const rollups = startRollups(
    parts.database.statements,
    sharedState,
    clock,
    log.named("usage"),
  );
  void pricing.start();
  management.reEncryption.watch();
  void discovered.load();

  await startExports(host, parts.exportingSinks, telemetry, log);
  const expose = config.metrics.enabled
    ? createExpose(host, parts.exposingSink, telemetry, log)
    : undefined;
  const stopObserving = telemetry.isCounting()
    ? observeProcess(telemetry.metrics, {
      running: () => running,
      snapshot: () => loader.current(),
      loader: () => loader.state(),
      records: () => records.state(),
      capacityState: () => capacity.admission.state(),
      allocationViolations: () => allocation.violations(),
      latestAllocation: (connectionId) => allocation.latest(connectionId),
      now: () => clock.now(),
    })
    : undefined;
  const authorizeSystem = createAuthorizeSystem(
    management.access,
    () => loader.current(),
    management.origin,
  );
  const sharesPort = config.metrics.port === config.port && config.port !== 0;
  const metricsServer = expose && !sharesPort
    ? await listenForMetrics(config.metrics.host, config.metrics.port, expose, log)
    : undefined;
  if (metricsServer) log.info(`Metrics are served on ${metricsServer.url}`);

  return {
    metricsUrl: metricsServer?.url,
    listen: () =>
      listen(config.host, config.port, {
        dataPlane: createDataPlane(
          services,
          createSourceAddress(config.trustedProxies),
          () => refusing,
        ),
        middleware: [
          ...(expose && sharesPort ? [createMetricsMiddleware(expose, authorizeSystem, log)] : []),
          management.middleware,
          createConsole(findConsole()),
        ],
        publicUrl: config.publicUrl,
        corsOrigins: config.corsOrigins,
        refusing: () => refusing,
        async readiness(context) {
          const plain = { status: status.readiness() };
          if (!showsCredential(context)) return plain;
          const mayRead = await authorizeSystem(context).then(() => true, () => false);
          return mayRead ? await status.read() : plain;
        },
        log,
      }),
    drain() {
      draining = true;
    },
    refuse() {
      refusing = true;
      management.endStreams();
    },
    isIdle: () => running.size === 0,
    async flush() {
      await uses.flush();
      await discovered.flush();
      await records.flush();
    },
    async finish(graceMs) {
      const done = () => Promise.all([...running].map(({ finished }) => finished));
      await Promise.race([done(), delay(graceMs, undefined, { ref: false })]);
      for (const exchange of running) {
        exchange.abort(new GatewayError("shutting_down", "The gateway is shutting down"));
      }
      await Promise.race([done(), delay(abortGraceMs, undefined, { ref: false })]);
      await leaveSamples();
      await uses.stop();
      await allocation.stop();
      await capacity.stop();
      await copies.stop();
      await discovered.stop();
      await records.close();
      stopObserving?.();
      await metricsServer?.stop();
      pricing.stop();
      await management.reEncryption.stop();
      await rollups.stop();
      await usageSinks.close();
    },
  };
}

/** Milliseconds aborted requests get to write their last frame. */
const abortGraceMs = 1_000;
