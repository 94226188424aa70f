import { setTimeout as startTimer } from "node:timers";
import type {
  Amount,
  CapacityStore,
  Clock,
  Log,
  ReserveReply,
  ReserveRequest,
} from "../contract/index.ts";
import { createBreaker } from "./breaker.ts";
import { createStoreDeadline } from "./store-deadline.ts";

/** The capacity store behind its deadline and breaker. */
export interface GuardedStore {
  /** True while the breaker keeps calls away from the store. */
  isAway(): boolean;
  /** One atomic step; undefined when the store cannot answer now. What it took nevertheless is given back later. */
  reserve(request: ReserveRequest): Promise<ReserveReply | undefined>;
  /** Charges real usage. Never fails: what the store cannot take now it is told when it is back. */
  settle(environmentId: string, reservationId: string, used: Amount): void;
  /** Gives a reservation back. Never fails, like `settle`. */
  release(environmentId: string, reservationId: string): void;
  /**
   * Any call no request waits for; undefined when the store cannot answer now. It may take seconds, as it may look at
   * many counters.
   */
  ask<Value>(use: (store: CapacityStore) => Promise<Value>): Promise<Value | undefined>;
  /** Resolves when all that was to be told has been told or kept for later. */
  idle(): Promise<void>;
  stop(): void;
}

/** What a guard is made of. */
export interface GuardParts {
  readonly store: CapacityStore;
  /** Milliseconds a call may take. */
  readonly timeoutMs: number;
  /** Milliseconds between two probes of a store that is away; 1,000 when absent. */
  readonly probePauseMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Told how long a reservation waited for the store, in milliseconds, answered or not. */
  readonly onReserved?: ((ms: number) => void) | undefined;
  /** Told after the store has come back. */
  readonly onBack?: () => void;
}

/** Ends of reservations that wait for the store at most; beyond it the oldest are left to their expiry. */
const maxUntold = 20_000;

/** Milliseconds a call may take that no request waits for. */
const patienceMs = 5_000;

/** Puts deadline and breaker before a store. One of this process alone needs neither. */
export function createGuardedStore(parts: GuardParts): GuardedStore {
  const { store, clock, log, probePauseMs = 1_000 } = parts;
  const monotonic = () => clock.monotonic();
  const prompt = createStoreDeadline(parts.timeoutMs, monotonic);
  const patient = createStoreDeadline(Math.max(patienceMs, parts.timeoutMs), monotonic);
  const running = new Set<Promise<unknown>>();
  const untold = new Map<string, () => Promise<void>>();
  let probing: ReturnType<typeof startTimer> | undefined;
  let stopped = false;
  let forgotten = 0;
  let lastError: unknown;

  const breaker = createBreaker(clock, (open) => {
    if (open) {
      log.warn("The capacity store does not answer; limits are kept without it", {
        error: lastError,
      });
      scheduleProbe();
      return;
    }
    log.info("The capacity store answers again", { untold: untold.size, forgotten });
    forgotten = 0;
    tellAll();
    parts.onBack?.();
  }, probePauseMs);

  async function guarded<Value>(
    call: () => Promise<Value>,
    late?: (value: Value) => void,
    deadline = prompt,
  ): Promise<Value> {
    try {
      const value = await (store.shared ? deadline.limit(call(), late) : call());
      breaker.succeeded();
      return value;
    } catch (error) {
      // A figure the store refuses is a fault of ours, not a sign of its absence.
      if (error instanceof RangeError) throw error;
      lastError = error;
      breaker.failed();
      throw error;
    }
  }

  function tell(key: string, call: () => Promise<void>): void {
    const keep = () => {
      untold.set(key, call);
      if (untold.size <= maxUntold) return;
      untold.delete(untold.keys().next().value!);
      forgotten++;
    };
    if (breaker.isOpen()) return keep();
    const told: Promise<unknown> = guarded(call).catch((error: unknown) => {
      if (error instanceof RangeError) {
        log.error("The capacity store refuses a figure", { error });
        return;
      }
      keep();
      scheduleRetell();
    }).finally(() => running.delete(told));
    running.add(told);
  }

  function tellAll(): void {
    const calls = [...untold];
    untold.clear();
    for (const [key, call] of calls) tell(key, call);
  }

  let retelling: ReturnType<typeof startTimer> | undefined;
  function scheduleRetell(): void {
    if (retelling || stopped) return;
    retelling = startTimer(() => {
      retelling = undefined;
      if (!breaker.isOpen()) tellAll();
    }, probePauseMs);
    retelling.unref();
  }

  function scheduleProbe(): void {
    if (probing || stopped) return;
    probing = startTimer(() => {
      probing = undefined;
      if (!breaker.isOpen()) return;
      if (breaker.takeProbe()) {
        guarded(() => store.read("probe", [probeMeter])).catch(() => {}).finally(scheduleProbe);
      } else scheduleProbe();
    }, probePauseMs / 4);
    probing.unref();
  }

  return {
    isAway: () => breaker.isOpen(),
    async reserve(request) {
      if (breaker.isOpen()) return undefined;
      const calledAt = parts.onReserved ? clock.monotonic() : 0;
      const giveBack = () => this.release(request.environmentId, request.reservationId);
      try {
        return await guarded(() => store.reserve(request), (reply) => {
          if (reply.admitted) giveBack();
        });
      } catch (error) {
        if (error instanceof RangeError) throw error;
        // The call may have taken effect all the same.
        untold.set(
          request.reservationId,
          () => store.release(request.environmentId, request.reservationId),
        );
        scheduleRetell();
        return undefined;
      } finally {
        parts.onReserved?.(clock.monotonic() - calledAt);
      }
    },
    settle(environmentId, reservationId, used) {
      tell(reservationId, () => store.settle(environmentId, reservationId, used));
    },
    release(environmentId, reservationId) {
      tell(reservationId, () => store.release(environmentId, reservationId));
    },
    async ask(use) {
      if (breaker.isOpen()) return undefined;
      try {
        return await guarded(() => use(store), undefined, patient);
      } catch (error) {
        if (error instanceof RangeError) throw error;
        return undefined;
      }
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
    stop() {
      stopped = true;
      if (probing) clearTimeout(probing);
      if (retelling) clearTimeout(retelling);
    },
  };
}

const probeMeter = { level: "connection", subjectId: "probe", period: "minute" } as const;
