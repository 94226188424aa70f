import type {
  Amount,
  CapacityStore,
  Clock,
  Log,
  Meter,
  MeterKey,
  MeterState,
  PoolGate,
  Refusal,
} from "../contract/index.ts";
import { createGuardedStore, type GuardedStore } from "./guarded-store.ts";
import { createLocalLedger } from "./local-ledger.ts";
import type { KnownShares } from "./local-pools.ts";

/** Takes amounts from meters, in the store or, while that is away, as the failure policy says. */
export interface Admission {
  /** Takes the amount from every meter or from none. Rejects with a RangeError for figures no store takes. */
  reserve(request: AdmissionRequest): Promise<AdmissionReply>;
  /** How limits are kept now. */
  state(): StoreState;
  readonly store: GuardedStore;
  /** Tells the store what is left to tell, then lets go of timers. */
  stop(): Promise<void>;
}

/** `local` keeps limits by own counters, `degraded` not at all or by refusing. */
export type StoreState = "ok" | "local" | "degraded";

/** What happens to legs with limits while the store is away. */
export type FailurePolicy = "local" | "allow" | "deny";

/** See `Admission.reserve`. */
export interface AdmissionRequest {
  readonly environmentId: string;
  readonly amount: Amount;
  readonly meters: readonly Meter[];
  readonly pool: PoolGate | undefined;
  /** Milliseconds the reservation lives at most. */
  readonly ttlMs: number;
}

/** What became of a request for admission. */
export type AdmissionReply =
  | {
    readonly result: "admitted";
    readonly lease: Lease;
    /** States after the step, in the order of the meters; empty when the store did not answer. */
    readonly states: readonly MeterState[];
    /** True when the store did not answer. */
    readonly degraded: boolean;
  }
  | {
    readonly result: "refused";
    readonly refused: readonly Refusal[];
    readonly degraded: boolean;
  }
  /** The store is away and the policy refuses. */
  | { readonly result: "unavailable" };

/** An amount taken for one leg. Whichever of both is called first takes effect. */
export interface Lease {
  readonly reservationId: string;
  /** Charges what was really used. */
  settle(used: Amount): void;
  /** Gives everything back. */
  release(): void;
}

/** What admission is made of. */
export interface AdmissionParts {
  readonly store: CapacityStore;
  /** Names this process in reservations. */
  readonly processId: string;
  readonly onStoreFailure: FailurePolicy;
  readonly timeoutMs: number;
  /** Milliseconds between two probes of a store that is away; 1,000 when absent. */
  readonly probePauseMs?: number | undefined;
  /** Processes that serve now, as last known. */
  readonly replicas: () => number;
  /** The state of a meter the process saw last. */
  readonly lastSeen: (environmentId: string, meter: MeterKey) => MeterState | undefined;
  /** Shares of a connection's pools the process heard of last; none when absent. */
  readonly lastShares?: ((connectionId: string) => KnownShares | undefined) | undefined;
  /** Told of the states every reply brings. */
  readonly onStates: (environmentId: string, states: readonly MeterState[]) => void;
  /** Told how long a reservation waited for the store, in milliseconds. */
  readonly onReserved?: ((ms: number) => void) | undefined;
  /** Told when the store has come back, maybe empty. */
  readonly onStoreBack?: (() => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds between two attempts to tell the store of use it has missed. */
const tellMs = 1_000;

/** Creates the admission of one process. */
export function createAdmission(parts: AdmissionParts): Admission {
  const { clock, onStoreFailure: policy, processId } = parts;
  const ledger = createLocalLedger(() => clock.now());
  const store = createGuardedStore({ ...parts, onBack });
  function onBack(): void {
    parts.onStoreBack?.();
    void tellLedger();
  }
  const timer = setInterval(() => void tellLedger(), parts.probePauseMs ?? tellMs);
  timer.unref();

  async function tellLedger(): Promise<void> {
    if (ledger.isEmpty() || store.isAway()) return;
    for (const [environmentId, counters] of ledger.drain()) {
      const told = await store.ask(async (capacity) => {
        await capacity.add(environmentId, counters);
        return true;
      });
      if (!told) ledger.putBack(environmentId, counters);
    }
  }

  function withoutStore(request: AdmissionRequest, reservationId: string): AdmissionReply {
    if (policy === "deny") return { result: "unavailable" };
    const take = ledger.take({
      ...request,
      replicas: Math.max(1, parts.replicas()),
      enforced: policy === "local",
      lastSeen: (meter) => parts.lastSeen(request.environmentId, meter),
      lastShares: (connectionId) => parts.lastShares?.(connectionId),
    });
    if (take.refused) return { result: "refused", refused: take.refused, degraded: true };
    const { settle } = take;
    return {
      result: "admitted",
      lease: { reservationId, settle, release: () => settle(nothing) },
      states: [],
      degraded: true,
    };
  }

  return {
    async reserve(request) {
      const { environmentId, amount, meters, pool, ttlMs } = request;
      const reservationId = crypto.randomUUID();
      const reply = await store.reserve({
        environmentId,
        reservationId,
        processId,
        ttlMs,
        amount,
        meters,
        ...(pool ? { pool } : {}),
      });
      if (!reply) return withoutStore(request, reservationId);
      parts.onStates(environmentId, reply.meters);
      if (!reply.admitted) return { result: "refused", refused: reply.refused, degraded: false };
      return {
        result: "admitted",
        lease: createLease(store, environmentId, reservationId),
        states: reply.meters,
        degraded: false,
      };
    },
    state: () => !store.isAway() ? "ok" : policy === "local" ? "local" : "degraded",
    store,
    async stop() {
      clearInterval(timer);
      await tellLedger();
      await store.idle();
      store.stop();
    },
  };
}

const nothing: Amount = { requests: 0, tokens: 0 };

function createLease(store: GuardedStore, environmentId: string, reservationId: string): Lease {
  let ended = false;
  const end = (tell: () => void) => () => {
    if (ended) return;
    ended = true;
    tell();
  };
  return {
    reservationId,
    settle: (used) => end(() => store.settle(environmentId, reservationId, used))(),
    release: end(() => store.release(environmentId, reservationId)),
  };
}
