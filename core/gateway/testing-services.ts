import { type Capacity, type CapacityParts, createCapacity } from "../capacity/index.ts";
import type { Clock, Log } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { createEgressGuard, type EgressGuard } from "../kit/index.ts";
import { type Allocation, createAllocation } from "../prioritization/index.ts";
import { createLiveSamples } from "../routing/index.ts";
import type { Snapshot } from "../store/snapshot.ts";
import { readCapacityUsage } from "./capacity-usage.ts";
import { createCircuits } from "./circuits.ts";
import type { GatewayServices } from "./exchange.ts";
import { createFetchMedia } from "./fetch-media.ts";
import { createAnswerHomes } from "./provider-state.ts";
import { createRedact } from "./redact.ts";
import { createRefusals } from "./refusals.ts";
import { createRetryBudget } from "./retry-budget.ts";
import { createRouter } from "./router.ts";

/** What a data plane in a test stands on. */
export interface TestServicesParts {
  readonly snapshot: () => Snapshot;
  readonly host: PluginHost;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: typeof fetch;
  /** What `fetch` goes through; a guard that lets all pass when absent. */
  readonly guard?: EgressGuard;
  readonly limits?: Partial<GatewayServices["limits"]>;
  readonly capacity?: Partial<CapacityParts>;
  readonly onFinished?: GatewayServices["onFinished"];
}

/** Services with all their real parts, over state in memory. */
export interface TestServices extends GatewayServices {
  readonly capacity: Capacity;
  /** Its rounds are the test's. */
  readonly allocation: Allocation;
  /** Sets what routes draw, from [0, 1). */
  setRandom(random: () => number): void;
  /** Forgets which providers kept failing. */
  closeCircuits(): void;
}

/** Puts the services of a data plane together. Whoever asks for it stops `capacity`. */
export async function createTestServices(parts: TestServicesParts): Promise<TestServices> {
  const { clock, host, log, snapshot } = parts;
  const sharedState = () => host.get("sharedStates", "memory");
  const samples = createLiveSamples(clock);
  let circuits = createCircuits(clock);
  let random = Math.random;
  const capacity = createCapacity({
    store: parts.capacity?.store ?? await host.get("capacityStores", "memory"),
    sharedState,
    processId: crypto.randomUUID(),
    onStoreFailure: "local",
    timeoutMs: 1_000,
    environments: () => snapshot().environments.keys(),
    clock,
    log,
    ...parts.capacity,
  });
  const allocation = createAllocation({
    store: capacity.admission.store,
    prioritization: () => host.get("prioritizations", "adaptive-token-scaling"),
    sharedState,
    snapshot,
    processId: crypto.randomUUID(),
    clock,
    log,
  });
  return {
    snapshot,
    host,
    clock,
    log,
    limits: {
      maxBodyBytes: 10 * 1024 * 1024,
      maxAnswerBytes: 64 * 1024 * 1024,
      firstContentHoldMs: 30_000,
      keepAliveMs: 10_000,
      ...parts.limits,
    },
    refusals: createRefusals(clock),
    get circuits() {
      return circuits;
    },
    retryBudget: createRetryBudget(clock),
    capacity,
    allocation,
    samples,
    router: createRouter({
      host,
      clock,
      samples,
      random: () => random(),
      capacityUsage: readCapacityUsage(capacity.view),
    }),
    fetchMedia: createFetchMedia(
      parts.fetch,
      parts.guard ?? createEgressGuard({ privateRanges: "allow" }),
    ),
    answerHomes: createAnswerHomes(sharedState, 1_000),
    identifyPerson: () => Promise.resolve(undefined),
    redact: createRedact([]),
    onStarted() {},
    onFinished: parts.onFinished ?? (() => undefined),
    setRandom: (next) => void (random = next),
    closeCircuits: () => void (circuits = createCircuits(clock)),
  };
}
