import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  createCapacity,
  createCounterCopies,
  createForgetRemoved,
  type StoreState,
} from "./capacity/index.ts";
import type { Config } from "./config.ts";
import { type CapacityStore, type Clock, type Encryption, GatewayError } from "./contract/index.ts";
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
import type { RequiredPlugins } from "./host/follow-switches.ts";
import type { PluginHost } from "./host/plugin-host.ts";
import { createTryModel } from "./gateway/try-model.ts";
import { createConsole } from "./http/console.ts";
import { findConsole } from "./http/console-files.ts";
import { createDataPlane } from "./http/data-plane.ts";
import { type HttpServer, listen } from "./http/server.ts";
import { createIdentifyPerson } from "./http/identify-person.ts";
import { createManagement } from "./http/management.ts";
import { createIsTrusted, createSourceAddress } from "./http/source-address.ts";
import type { EgressGuard } from "./kit/egress.ts";
import type { RootLog } from "./log.ts";
import { createAllocation } from "./prioritization/index.ts";
import { createPricing } from "./records/cost/pricing.ts";
import { createDiscoveredRecorder } from "./records/discovered-limits.ts";
import { createRecords, type RecordsState } from "./records/create-records.ts";
import { createUseRecorder } from "./records/last-used.ts";
import { startRollups } from "./records/usage/rollups.ts";
import { createLiveSamples, exchangeSamples } from "./routing/index.ts";
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
  readonly encryption: () => Promise<Encryption>;
  readonly capacityStore: CapacityStore;
  /** Id of the prioritization in use. */
  readonly prioritization: string;
  /** Id of the shared state in use. */
  readonly sharedState: string;
  /** Id of the identity provider in use, configured or not. */
  readonly identityProvider: string;
  readonly requiredPlugins: RequiredPlugins;
  readonly guard: EgressGuard;
  /** `fetch` through the egress guard. */
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly redact: Redact;
}

/** Both planes, ready to listen. */
export interface Gateway {
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
    onStoreBack: () => void copies.restore(),
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
  const management = createManagement({
    onTokenUsed: uses.token,
    capacity: { ...capacity, copy: (environmentId) => copies.copy(environmentId) },
    tryModel: createTryModel(host, parts.redact),
    allocation,
    gateway: createGatewayView(() => services),
    records,
    pricing,
    usageQuerySink: config.usage.querySink,
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
    fetchMedia: createFetchMedia(parts.fetch),
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
    onStarted: (exchange) => void running.add(exchange),
    onTargeted: records.onTargeted,
    onFirstContent: records.onFirstContent,
    onFinished(outcome) {
      const { exchange } = outcome;
      running.delete(exchange);
      records.onFinished(outcome);
      if (exchange.caller?.kind === "api-key") uses.apiKey(exchange.caller.apiKey.apiKeyId);
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
  void discovered.load();

  return {
    listen: () =>
      listen(config.host, config.port, {
        dataPlane: createDataPlane(
          services,
          createSourceAddress(config.trustedProxies),
          () => refusing,
        ),
        middleware: [management.middleware, createConsole(findConsole())],
        publicUrl: config.publicUrl,
        corsOrigins: config.corsOrigins,
        readiness: () => ({
          status: draining
            ? "not_ready"
            : readiness(loader, records.state(), capacity.admission.state()),
        }),
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
      pricing.stop();
      await rollups.stop();
    },
  };
}

/** Milliseconds aborted requests get to write their last frame. */
const abortGraceMs = 1_000;

function readiness(
  loader: SnapshotLoader,
  { spool }: RecordsState,
  capacityStore: StoreState,
): "ready" | "degraded" | "not_ready" {
  const { status } = loader.state();
  if (status === "starting") return "not_ready";
  return spool.pressure === "none" && spool.writable && capacityStore === "ok"
    ? status
    : "degraded";
}
