import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricPoint } from "../contract/index.ts";
import type { StoreState } from "../capacity/index.ts";
import type { Exchange } from "../gateway/exchange.ts";
import type { AllocationPoint } from "../prioritization/index.ts";
import type { RecordsState } from "../records/create-records.ts";
import type { LoaderState } from "../store/loader.ts";
import type { EnvironmentView, Snapshot } from "../store/snapshot.ts";
import type { Metrics } from "./metrics.ts";

/** What the metrics of a process are read from when somebody asks for them. */
export interface ProcessSources {
  readonly running: () => Iterable<Exchange>;
  readonly snapshot: () => Snapshot;
  readonly loader: () => LoaderState;
  readonly records: () => RecordsState;
  readonly capacityState: () => StoreState;
  readonly allocationViolations: () => number;
  /** The latest shares and demand of a connection's pools. */
  readonly latestAllocation: (connectionId: string) => AllocationPoint | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Makes metrics of what the process knows anyway. Answers how to end the watch over the event loop. */
export function observeProcess(metrics: Metrics, sources: ProcessSources): () => void {
  const { loader, records } = sources;
  metrics.observeValue("inflight", () => countOf(sources.running(), () => true));
  metrics.observeValue(
    "streams",
    () => countOf(sources.running(), ({ body }) => body?.stream === true),
  );
  metrics.observeValue("snapshotRevision", () => loader().revision);
  metrics.observeValue("snapshotAge", () => {
    const { confirmedAt } = loader();
    return confirmedAt && Math.max(0, sources.now() - confirmedAt.getTime()) / 1000;
  });
  metrics.observeValue("spoolBytes", () => records().spool.bytes);
  metrics.observeValue("spoolOldest", () => records().spool.oldestAgeMs / 1000);
  metrics.observeValue("shipped", () => records().shipped);
  metrics.observeValue("lost", () => records().lost);
  metrics.observeValue("capacityDegraded", () => sources.capacityState() === "ok" ? 0 : 1);
  metrics.observe("capacityUsed", () => metrics.limits.points(sources.now()));
  metrics.observeValue("allocationViolations", sources.allocationViolations);
  metrics.observe("poolShare", () => pools(sources, ({ current }) => current / unitsPerPercent));
  metrics.observe("poolDemand", () => pools(sources, ({ demand }) => demand));
  return observeEventLoop(metrics);
}

/** Shares are kept in units of 0.001 percent. */
const unitsPerPercent = 1_000;
/** Milliseconds between two looks at the event loop. */
const resolutionMs = 20;
const nanosecondsPerSecond = 1_000_000_000;

function observeEventLoop(metrics: Metrics): () => void {
  const delay: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  metrics.observe("eventLoopDelay", function* () {
    if (delay.count === 0) return;
    for (const [name, percentile] of [["50", 50], ["99", 99], ["100", 100]] as const) {
      const late = delay.percentile(percentile) - resolutionMs * 1_000_000;
      yield { labels: { percentile: name }, value: Math.max(0, late) / nanosecondsPerSecond };
    }
    delay.reset();
  });
  return () => void delay.disable();
}

function* pools(
  { snapshot, latestAllocation }: ProcessSources,
  valueOf: (pool: AllocationPoint["pools"][number]) => number,
): Generator<MetricPoint> {
  const state = snapshot();
  for (const environment of state.environments.values()) {
    if (environment.pools.length === 0) continue;
    for (const { connectionId, name: connection, provider } of environment.connections.values()) {
      for (const pool of latestAllocation(connectionId)?.pools ?? []) {
        const labels = { ...labelsOf(state, environment), connection, provider, pool: pool.name };
        yield { labels, value: valueOf(pool) };
      }
    }
  }
}

function labelsOf(snapshot: Snapshot, { workspaceId, name }: EnvironmentView) {
  return { workspace: snapshot.workspaces.get(workspaceId)?.name ?? "", environment: name };
}

function countOf<Item>(items: Iterable<Item>, matches: (item: Item) => boolean): number {
  let count = 0;
  for (const item of items) if (matches(item)) count++;
  return count;
}
