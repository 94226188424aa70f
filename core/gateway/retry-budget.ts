import type { Clock } from "../contract/index.ts";

/** Keeps retries from turning an outage into a storm: a bounded share of each connection's calls. */
export interface RetryBudget {
  noteCall(connectionId: string): void;
  /** Takes one retry; false when the budget is spent. */
  takeRetry(connectionId: string): boolean;
}

const windowMs = 10_000;
const bucketMs = 1_000;
const share = 0.2;
const alwaysAllowed = 100;

interface Bucket {
  readonly at: number;
  calls: number;
  retries: number;
}

/** Creates a budget: retries of the last 10 s at most 20 % of the calls, 100 always allowed. */
export function createRetryBudget(clock: Pick<Clock, "monotonic">): RetryBudget {
  const connections = new Map<string, Bucket[]>();

  const present = (connectionId: string): Bucket => {
    const at = Math.floor(clock.monotonic() / bucketMs);
    let buckets = connections.get(connectionId);
    if (!buckets) connections.set(connectionId, buckets = []);
    const last = buckets.at(-1);
    if (last?.at === at) return last;
    while (buckets[0] && buckets[0].at <= at - windowMs / bucketMs) buckets.shift();
    const bucket = { at, calls: 0, retries: 0 };
    buckets.push(bucket);
    return bucket;
  };

  return {
    noteCall(connectionId) {
      present(connectionId).calls++;
    },
    takeRetry(connectionId) {
      const bucket = present(connectionId);
      let calls = 0;
      let retries = 0;
      for (const each of connections.get(connectionId)!) {
        calls += each.calls;
        retries += each.retries;
      }
      if (retries >= Math.max(alwaysAllowed, calls * share)) return false;
      bucket.retries++;
      return true;
    },
  };
}
