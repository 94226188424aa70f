import type { CapacityStore, Clock, Log, LogFields, MeterState } from "../contract/index.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import { meterName } from "./meter-key.ts";

/** A shared store in the hands of a test. It counts without limits of its own unless it is told to refuse. */
export interface FakeStore extends CapacityStore {
  /** What every call does before it takes effect. */
  before: () => Promise<unknown> | void;
  /** Calls as they came, by name, with the reservation where there is one. */
  readonly calls: string[];
  /** Open reservations. */
  readonly open: Map<string, number>;
  readonly used: Map<string, { requests: number; tokens: number }>;
}

/** Creates an empty store whose windows follow `clock`. */
export function createFakeStore(clock: Pick<Clock, "now">): FakeStore {
  const calls: string[] = [];
  const open = new Map<string, number>();
  const used = new Map<string, { requests: number; tokens: number }>();
  const states = (environmentId: string, meters: readonly Parameters<typeof meterName>[1][]) =>
    meters.map((meter): MeterState => {
      const { start, end } = calendarWindow(meter.period, clock.now());
      return {
        ...meter,
        used: { ...used.get(meterName(environmentId, meter)) ?? { requests: 0, tokens: 0 } },
        reserved: { requests: 0, tokens: 0 },
        denied: 0,
        windowStart: start,
        resetAt: end,
      };
    });
  const add = (name: string, requests: number, tokens: number) => {
    const before = used.get(name) ?? { requests: 0, tokens: 0 };
    used.set(name, { requests: before.requests + requests, tokens: before.tokens + tokens });
  };
  const step = async <Value>(call: string, run: () => Value): Promise<Value> => {
    calls.push(call);
    await store.before();
    return run();
  };
  const meters = new Map<string, { names: string[]; tokens: number }>();

  const store: FakeStore = {
    shared: true,
    before: () => {},
    calls,
    open,
    used,
    reserve: (request) =>
      step(`reserve ${request.reservationId}`, () => {
        const names = request.meters.map((meter) => meterName(request.environmentId, meter));
        const refused = request.meters.filter(({ limit }, index) =>
          limit.requests !== null &&
          (used.get(names[index]!)?.requests ?? 0) + request.amount.requests > limit.requests
        );
        if (refused.length === 0) {
          for (const name of names) add(name, request.amount.requests, request.amount.tokens);
          open.set(request.reservationId, request.amount.tokens);
          meters.set(request.reservationId, { names, tokens: request.amount.tokens });
        }
        const after = states(request.environmentId, request.meters);
        return refused.length === 0 ? { admitted: true, meters: after } : {
          admitted: false,
          meters: after,
          refused: refused.map((meter) => ({
            gate: "capacity",
            meter,
            axis: "requests",
            used: after[0]!.used.requests,
            resetAt: after[0]!.resetAt,
          })),
        };
      }),
    settle: (_environmentId, id, amount) =>
      step(`settle ${id}`, () => {
        const known = meters.get(id);
        if (!known || !open.delete(id)) return;
        for (const name of known.names) {
          add(name, amount.requests - 1, amount.tokens - known.tokens);
        }
      }),
    release: (_environmentId, id) =>
      step(`release ${id}`, () => {
        const known = meters.get(id);
        if (!known || !open.delete(id)) return;
        for (const name of known.names) add(name, -1, -known.tokens);
      }),
    expire: () => step("expire", () => 0),
    read: (environmentId, keys) => step("read", () => states(environmentId, keys)),
    top: () => step("top", () => []),
    add: (environmentId, counters) =>
      step("add", () => {
        for (const counter of counters) {
          add(meterName(environmentId, counter), counter.used.requests, counter.used.tokens);
        }
      }),
    dump: () => step("dump", () => []),
    restore: () => step("restore", () => false),
    reset: () => step("reset", () => {}),
    readPools: () => step("readPools", () => undefined),
    casShares: () => step("casShares", () => false),
    close: () => Promise.resolve(),
  };
  return store;
}

/** A log that keeps its messages. */
export function createTestLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (message: string, _fields?: LogFields) => void lines.push(message);
  return { lines, debug: () => {}, info: write, warn: write, error: write };
}
