import type { LimitedLevel, LiveCapacity, LiveMeter } from "@vmx/schemas";
import type { Clock, Meter, MeterState } from "../contract/index.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import type { EnvironmentView, Snapshot } from "../store/snapshot.ts";
import type { Admission } from "./admission.ts";
import type { CapacityView } from "./capacity-view.ts";
import type { Discovered } from "./discovered.ts";
import { limitsOf } from "./limits.ts";
import { type LimitedSubject, subjectsOf } from "./subjects.ts";

/** The limits of an environment with what is used of them. */
export interface LiveMeters {
  /** Reads them from the store, or from the process's own copy while that is away. */
  read(
    snapshot: Snapshot,
    environment: EnvironmentView,
    filter?: MeterFilter,
  ): Promise<LiveCapacity>;
  /**
   * What has changed, at most four times a second, beginning with everything. Ends with the signal.
   *
   * @param environment asked anew for each reading; undefined ends the stream
   */
  follow(
    current: () => { snapshot: Snapshot; environment: EnvironmentView | undefined },
    filter: MeterFilter,
    signal: AbortSignal,
  ): AsyncIterable<LiveCapacity>;
}

/** Which meters are wanted; all when empty. */
export interface MeterFilter {
  readonly level?: LimitedLevel | undefined;
  readonly subjectId?: string | undefined;
}

/** Dimension values shown per limit. */
const shownValues = 20;
const followMs = 250;

/** Creates the live view over the parts of `Capacity`. */
export function createLiveMeters({ admission, clock, discovered, view }: {
  readonly admission: Pick<Admission, "state" | "store">;
  readonly clock: Pick<Clock, "now">;
  readonly discovered: Pick<Discovered, "latest">;
  readonly view: Pick<CapacityView, "last">;
}): LiveMeters {
  async function read(
    snapshot: Snapshot,
    environment: EnvironmentView,
    filter: MeterFilter = {},
  ): Promise<LiveCapacity> {
    const { environmentId } = environment;
    const subjects = subjectsOf(snapshot, environment).filter(({ level, subjectId }) =>
      (filter.level ?? level) === level && (filter.subjectId ?? subjectId) === subjectId
    );
    const plain = subjects.flatMap((subject) =>
      limitsOf(subject.view, subject.level, subject.subjectId).plain.map((meter) => ({
        subject,
        meter,
      }))
    );
    const states = plain.length === 0
      ? []
      : await admission.store.ask((store) =>
        store.read(environmentId, plain.map(({ meter }) => meter))
      );
    const data = plain.map(({ subject, meter }, index) =>
      describe(subject, meter, states?.[index] ?? view.last(environmentId, meter))
    );
    for (const subject of subjects) {
      for (
        const { meter, dimension } of limitsOf(subject.view, subject.level, subject.subjectId).split
      ) {
        const entry = { ...meter, dimensionName: dimension };
        const top = await admission.store.ask((store) =>
          store.top(environmentId, entry, shownValues)
        );
        for (const state of top ?? []) {
          data.push(describe(subject, { ...meter, ...dimensionOf(state) }, state));
        }
      }
    }
    return { at: iso(clock.now()), storeState: admission.state(), data };
  }

  function describe(
    subject: LimitedSubject,
    meter: Meter,
    seen: MeterState | undefined,
  ): LiveMeter {
    const { period, limit, dimension } = meter;
    const { start, end } = calendarWindow(period, clock.now());
    // Windows follow the store's clock; a state of an older window tells nothing of this one.
    const state = seen && seen.windowStart >= start ? seen : undefined;
    const axis = (name: "requests" | "tokens") => {
      const used = state?.used[name] ?? 0;
      return {
        limit: limit[name],
        used,
        reserved: state?.reserved[name] ?? 0,
        remaining: limit[name] === null ? null : Math.max(0, limit[name] - used),
      };
    };
    const told = subject.level === "connection" && !dimension
      ? discovered.latest(subject.subjectId, period)
      : undefined;
    const resetAt = state ? state.resetAt : end;
    return {
      level: subject.level,
      subjectId: subject.subjectId,
      subjectName: subject.subjectName,
      ...(dimension ? { dimension: dimension.name, dimensionValue: dimension.value } : {}),
      period,
      requests: axis("requests"),
      tokens: axis("tokens"),
      windowStart: period === "lifetime" ? null : iso(state?.windowStart ?? start),
      resetAt: resetAt === null ? null : iso(resetAt),
      deniedInWindow: state?.denied ?? 0,
      ...(told
        ? {
          discovered: {
            requests: told.requests,
            tokens: told.tokens,
            updatedAt: iso(told.updatedAt),
          },
        }
        : {}),
    };
  }

  return {
    read,
    async *follow(current, filter, signal) {
      const known = new Map<string, string>();
      let storeState: string | undefined;
      while (!signal.aborted) {
        const { snapshot, environment } = current();
        if (!environment) return;
        const now = await read(snapshot, environment, filter);
        const changed = now.data.filter((meter) => {
          const { level, subjectId, period, dimension, dimensionValue } = meter;
          const key = JSON.stringify([level, subjectId, period, dimension, dimensionValue]);
          const text = JSON.stringify(meter);
          if (known.get(key) === text) return false;
          known.set(key, text);
          return true;
        });
        if (changed.length > 0 || storeState !== now.storeState) {
          storeState = now.storeState;
          yield { ...now, data: changed };
        }
        await pause(followMs, signal);
      }
    },
  };
}

function dimensionOf({ dimension }: MeterState): Pick<Meter, "dimension"> {
  return dimension ? { dimension } : {};
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
