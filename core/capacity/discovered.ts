import type { Clock, DiscoveredLimit, DiscoveredLimits, Period } from "../contract/index.ts";

/** The limits providers tell of, per connection and model. They are shown and weighed, and never refuse anything. */
export interface Discovered {
  /**
   * Notes the limits of an answer. `read` is called only when the last reading is old enough to be worth another.
   */
  note(connectionId: string, model: string, read: () => DiscoveredLimits | undefined): void;
  /** What was told within the last 7 days. */
  find(connectionId: string, model: string): DiscoveredModel | undefined;
  /** The limits any model of a connection told of last for a period. */
  latest(connectionId: string, period: Period): DiscoveredPeriod | undefined;
  /** Takes in what was written down before this process started. */
  load(connectionId: string, stored: StoredDiscovered): void;
  /** What has changed since the last call, to be written down; a model at most once per 30 s. */
  takeChanged(): ReadonlyMap<string, StoredDiscovered>;
}

/** What is known of one model's limits. */
export interface DiscoveredModel {
  /** Unix milliseconds of the last sighting. */
  readonly updatedAt: number;
  readonly limits: readonly DiscoveredEntry[];
}

/** See `Discovered.latest`; null where nothing was told. */
export interface DiscoveredPeriod {
  readonly requests: number | null;
  readonly tokens: number | null;
  /** Unix milliseconds. */
  readonly updatedAt: number;
}

/** One limit as it was seen. */
export interface DiscoveredEntry {
  readonly axis: "requests" | "tokens";
  readonly period: Period;
  readonly limit: number;
  /** Used as far as the provider said, in the window that ends at `resetAt`. */
  readonly used: number;
  /** Unix milliseconds. */
  readonly resetAt: number;
}

/** Discovered capacity as connections show it (domain.md §10). */
export interface StoredDiscovered {
  readonly models: Readonly<Record<string, StoredDiscoveredModel>>;
}

/** See `StoredDiscovered`. */
export interface StoredDiscoveredModel {
  /** RFC 3339. */
  readonly updatedAt: string;
  readonly capacity: readonly {
    readonly period: Period;
    readonly requests: number | null;
    readonly tokens: number | null;
    readonly enabled: boolean;
    readonly dimension: null;
    readonly dimensionField: null;
  }[];
  readonly source: "headers";
}

/** Milliseconds a sighting counts. */
export const discoveredForMs = 7 * 24 * 3_600_000;
/** Headers are read at most this often, in milliseconds: they hardly change within it. */
const readEveryMs = 250;
const writeEveryMs = 30_000;
const maxModels = 5_000;

const windows: readonly (readonly [Period, number])[] = [
  ["minute", 60_000],
  ["hour", 3_600_000],
  ["day", 86_400_000],
  ["week", 7 * 86_400_000],
  ["month", 30 * 86_400_000],
];

interface Known {
  readonly connectionId: string;
  readonly model: string;
  readAt: number;
  writtenAt: number;
  changed: boolean;
  updatedAt: number;
  limits: readonly DiscoveredEntry[];
}

/** Creates the memory of discovered limits, empty. */
export function createDiscovered(clock: Pick<Clock, "now">): Discovered {
  const known = new Map<string, Known>();

  const open = (connectionId: string, model: string): Known => {
    const key = `${connectionId} ${model}`;
    let entry = known.get(key);
    if (entry) return entry;
    if (known.size >= maxModels) known.delete(known.keys().next().value!);
    entry = {
      connectionId,
      model,
      readAt: 0,
      writtenAt: 0,
      changed: false,
      updatedAt: 0,
      limits: [],
    };
    known.set(key, entry);
    return entry;
  };
  const isFresh = ({ updatedAt }: Known) => clock.now() - updatedAt <= discoveredForMs;

  return {
    note(connectionId, model, read) {
      const now = clock.now();
      const before = known.get(`${connectionId} ${model}`);
      if (before && Math.abs(now - before.readAt) < readEveryMs) return;
      const limits = read();
      if (!limits) {
        if (before) before.readAt = now;
        return;
      }
      const entry = before ?? open(connectionId, model);
      entry.readAt = now;
      const seen = toEntries(limits, now);
      if (seen.length === 0) return;
      entry.updatedAt = now;
      entry.changed = true;
      // An answer that tells of one axis does not unsay the other.
      entry.limits = [
        ...seen,
        ...entry.limits.filter((old) =>
          !seen.some(({ axis, period }) => axis === old.axis && period === old.period)
        ),
      ];
    },
    find(connectionId, model) {
      const entry = known.get(`${connectionId} ${model}`);
      return entry && entry.limits.length > 0 && isFresh(entry)
        ? { updatedAt: entry.updatedAt, limits: entry.limits }
        : undefined;
    },
    latest(connectionId, period) {
      let last: Known | undefined;
      for (const entry of known.values()) {
        if (entry.connectionId !== connectionId || !isFresh(entry)) continue;
        if (!entry.limits.some((limit) => limit.period === period)) continue;
        if (!last || entry.updatedAt > last.updatedAt) last = entry;
      }
      if (!last) return undefined;
      const { limits, updatedAt } = last;
      return {
        requests: limitFor(limits, period, "requests"),
        tokens: limitFor(limits, period, "tokens"),
        updatedAt,
      };
    },
    load(connectionId, { models }) {
      for (const [model, stored] of Object.entries(models)) {
        const updatedAt = Date.parse(stored.updatedAt);
        const entry = open(connectionId, model);
        if (!(updatedAt > entry.updatedAt)) continue;
        entry.updatedAt = updatedAt;
        entry.limits = stored.capacity.flatMap(({ period, requests, tokens }) => [
          ...(requests === null ? [] : [stale("requests", period, requests)]),
          ...(tokens === null ? [] : [stale("tokens", period, tokens)]),
        ]);
      }
    },
    takeChanged() {
      const now = clock.now();
      const changed = new Map<string, { models: Record<string, StoredDiscoveredModel> }>();
      for (const entry of known.values()) {
        if (!entry.changed || now - entry.writtenAt < writeEveryMs) continue;
        entry.changed = false;
        entry.writtenAt = now;
        const connection = changed.get(entry.connectionId) ?? { models: {} };
        connection.models[entry.model] = toStored(entry);
        changed.set(entry.connectionId, connection);
      }
      return changed;
    },
  };
}

function stale(
  axis: DiscoveredEntry["axis"],
  period: Period,
  limit: number,
): DiscoveredEntry {
  return { axis, period, limit, used: 0, resetAt: 0 };
}

function toEntries(limits: DiscoveredLimits, now: number): DiscoveredEntry[] {
  const tokens = limits.tokens ?? sum(limits.inputTokens, limits.outputTokens);
  return [
    ...(limits.requests ? [toEntry("requests", limits.requests, now)] : []),
    ...(tokens ? [toEntry("tokens", tokens, now)] : []),
  ];
}

function toEntry(
  axis: DiscoveredEntry["axis"],
  { limit, remaining, resetAfterMs, windowMs = 60_000 }: DiscoveredLimit,
  now: number,
): DiscoveredEntry {
  const [period, lengthMs] = windows.find(([, ms]) => windowMs <= ms) ?? windows.at(-1)!;
  // A limit per second is shown per minute: periods are few.
  const scale = lengthMs / windowMs;
  const used = remaining === undefined ? 0 : Math.max(0, limit - remaining);
  return {
    axis,
    period,
    limit: Math.max(1, Math.round(limit * scale)),
    used: Math.round(used * scale),
    resetAt: now + (resetAfterMs ?? windowMs),
  };
}

/** Input and output limited apart make one limit of both, as meters do not tell them apart. */
function sum(
  input: DiscoveredLimit | undefined,
  output: DiscoveredLimit | undefined,
): DiscoveredLimit | undefined {
  if (!input || !output) return input ?? output;
  const remaining = input.remaining === undefined || output.remaining === undefined
    ? {}
    : { remaining: input.remaining + output.remaining };
  return { ...input, limit: input.limit + output.limit, ...remaining };
}

function limitFor(
  limits: readonly DiscoveredEntry[],
  period: Period,
  axis: DiscoveredEntry["axis"],
): number | null {
  return limits.find((entry) => entry.period === period && entry.axis === axis)?.limit ?? null;
}

function toStored({ updatedAt, limits }: Known): StoredDiscoveredModel {
  const periods = [...new Set(limits.map(({ period }) => period))];
  return {
    updatedAt: new Date(updatedAt).toISOString(),
    capacity: periods.map((period) => ({
      period,
      requests: limitFor(limits, period, "requests"),
      tokens: limitFor(limits, period, "tokens"),
      enabled: true,
      dimension: null,
      dimensionField: null,
    })),
    source: "headers",
  };
}
