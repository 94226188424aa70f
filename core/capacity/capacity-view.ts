import type {
  Clock,
  JsonObject,
  Meter,
  MeterKey,
  MeterLevel,
  MeterState,
  Period,
} from "../contract/index.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import type { EnvironmentView } from "../store/snapshot.ts";
import type { GuardedStore } from "./guarded-store.ts";
import type { Discovered } from "./discovered.ts";
import { legMeters, type LegSubject } from "./leg-meters.ts";
import { meterName } from "./meter-key.ts";

/** The process's own copy of meter states: what rules read without waiting. */
export interface CapacityView {
  /** Takes in the states a reply brought. */
  note(environmentId: string, states: readonly MeterState[]): void;
  /** The state seen last, in whatever window that was. */
  last(environmentId: string, meter: MeterKey): MeterState | undefined;
  /** How much of the limits is used; null when the store is away or nothing limits. Never waits. */
  usage(query: UsageQuery): JsonObject | null;
  /**
   * Reads the meters of these subjects once a second, so that their values are no older. Called anew for each
   * reading; a watch before it is replaced.
   */
  watch(subjects: () => Iterable<WatchedSubject>): void;
  /** Reads the watched meters now. */
  refresh(): Promise<void>;
  stop(): void;
}

/** Whose limits are asked for. Limits that count the values of a dimension apart are left out. */
export interface UsageQuery extends Pick<LegSubject, "resource" | "apiKey"> {
  readonly environment: EnvironmentView;
  readonly connectionId: string;
  readonly model: string;
  readonly period: Period;
}

/** An object whose undimensioned meters are to be kept fresh. */
export interface WatchedSubject {
  readonly environment: EnvironmentView;
  readonly connectionId?: string;
  readonly resourceId?: string;
}

/** Where a limit comes from, in the words of rules. */
type LimitSource = MeterLevel | "discovered";

interface Candidate {
  readonly source: LimitSource;
  readonly limit: number;
  readonly used: number;
}

const refreshMs = 1_000;
/** States kept at most; the one met first gives way. */
const maxStates = 50_000;

/** Creates an empty copy. `store` is asked only for what is watched. */
export function createCapacityView({ clock, discovered, store }: {
  readonly clock: Pick<Clock, "now">;
  readonly discovered: Pick<Discovered, "find">;
  readonly store: () => Pick<GuardedStore, "ask" | "isAway">;
}): CapacityView {
  const states = new Map<string, MeterState>();
  let watched: (() => Iterable<WatchedSubject>) | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let reading = false;

  function note(environmentId: string, fresh: readonly MeterState[]): void {
    for (const state of fresh) {
      const name = meterName(environmentId, state);
      if (states.size >= maxStates && !states.has(name)) {
        states.delete(states.keys().next().value!);
      }
      states.set(name, state);
    }
  }

  async function refresh(): Promise<void> {
    if (reading || !watched || store().isAway()) return;
    reading = true;
    try {
      for (const [environmentId, meters] of metersOf(watched())) {
        if (meters.length === 0) continue;
        const fresh = await store().ask((capacity) => capacity.read(environmentId, meters));
        if (fresh) note(environmentId, fresh);
      }
    } finally {
      reading = false;
    }
  }

  function candidatesOf(
    environment: EnvironmentView,
    meters: readonly Meter[],
    axis: "requests" | "tokens",
    windowStart: number,
  ): Candidate[] {
    return meters.flatMap((meter) => {
      const limit = meter.limit[axis];
      if (limit === null) return [];
      return [{ source: meter.level, limit, used: usedOf(environment, meter, axis, windowStart) }];
    });
  }

  function usedOf(
    { environmentId }: EnvironmentView,
    meter: MeterKey,
    axis: "requests" | "tokens",
    windowStart: number,
  ): number {
    const state = states.get(meterName(environmentId, meter));
    return state?.windowStart === windowStart ? state.used[axis] : 0;
  }

  return {
    note,
    last: (environmentId, meter) => states.get(meterName(environmentId, meter)),
    usage({ environment, connectionId, model, resource, apiKey, period }) {
      if (store().isAway()) return null;
      const now = clock.now();
      const window = calendarWindow(period, now);
      const connection = environment.connections.get(connectionId);
      const meters = legMeters({ connection, resource, apiKey, sourceIp: "", metadata: {} })
        .filter((meter) => meter.period === period && !meter.dimension);
      const told = discovered.find(connectionId, model)?.limits
        .filter((entry) => entry.period === period) ?? [];
      const [requests, tokens] = (["requests", "tokens"] as const).map((axis) =>
        nearest([
          ...candidatesOf(environment, meters, axis, window.start),
          ...told.filter((entry) => entry.axis === axis).map((entry): Candidate => ({
            source: "discovered",
            limit: entry.limit,
            used: now < entry.resetAt ? entry.used : 0,
          })),
        ])
      );
      if (!requests && !tokens) return null;
      const anyMeter = meters.at(-1);
      const total = (axis: "requests" | "tokens", found: Candidate | undefined) =>
        found?.used ?? (anyMeter ? usedOf(environment, anyMeter, axis, window.start) : 0);
      return {
        totalRequests: total("requests", requests),
        totalTokens: total("tokens", tokens),
        remainingSeconds: window.end === null ? null : Math.ceil((window.end - now) / 1000),
        requestsLimit: requests?.limit ?? null,
        tokensLimit: tokens?.limit ?? null,
        requestsLimitSource: requests?.source ?? null,
        tokensLimitSource: tokens?.source ?? null,
        remainingRequests: requests ? Math.max(0, requests.limit - requests.used) : null,
        remainingTokens: tokens ? Math.max(0, tokens.limit - tokens.used) : null,
        requestsUsagePercent: requests ? percent(requests) : null,
        tokensUsagePercent: tokens ? percent(tokens) : null,
      };
    },
    watch(subjects) {
      watched = subjects;
      if (timer) return;
      timer = setInterval(() => void refresh(), refreshMs);
      timer.unref();
    },
    refresh,
    stop: () => clearInterval(timer),
  };
}

/** The limit nearest to saturation; of equals the tighter. */
function nearest(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.reduce<Candidate | undefined>((best, next) => {
    if (!best) return next;
    const difference = next.used / next.limit - best.used / best.limit;
    return difference > 0 || (difference === 0 && next.limit < best.limit) ? next : best;
  }, undefined);
}

function percent({ used, limit }: Candidate): number {
  return Math.min(100, Math.round(used / limit * 10_000) / 100);
}

function metersOf(subjects: Iterable<WatchedSubject>): Map<string, readonly Meter[]> {
  const byEnvironment = new Map<string, Meter[]>();
  const seen = new Set<string>();
  for (const { environment, connectionId, resourceId } of subjects) {
    const { environmentId } = environment;
    const meters = byEnvironment.get(environmentId) ?? [];
    byEnvironment.set(environmentId, meters);
    const all = legMeters({
      connection: environment.connections.get(connectionId ?? ""),
      resource: environment.resources.get(resourceId ?? ""),
      apiKey: undefined,
      sourceIp: "",
      metadata: {},
    });
    for (const meter of all) {
      const name = meterName(environmentId, meter);
      if (meter.dimension || seen.has(name)) continue;
      seen.add(name);
      meters.push(meter);
    }
  }
  return byEnvironment;
}
