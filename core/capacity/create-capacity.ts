import type { CapacityStore, Clock, Log, SharedState } from "../contract/index.ts";
import { type Admission, createAdmission, type FailurePolicy } from "./admission.ts";
import { type CapacityView, createCapacityView } from "./capacity-view.ts";
import { createDiscovered, type Discovered } from "./discovered.ts";
import { createEstimates, type Estimates } from "./estimates.ts";
import { createLiveMeters, type LiveMeters } from "./live-meters.ts";
import type { KnownShares } from "./local-pools.ts";
import { createLiveness, type Liveness } from "./liveness.ts";

/** What one process does about capacity. */
export interface Capacity {
  readonly admission: Admission;
  readonly estimates: Estimates;
  readonly discovered: Discovered;
  readonly view: CapacityView;
  readonly live: LiveMeters;
  readonly liveness: Liveness;
  /** Begins heartbeats and the expiry of reservations. */
  start(): void;
  /** Tells the store what it has to know, then lets go. */
  stop(): Promise<void>;
}

/** What capacity stands on. */
export interface CapacityParts {
  readonly store: CapacityStore;
  readonly sharedState: () => Promise<SharedState>;
  readonly processId: string;
  readonly onStoreFailure: FailurePolicy;
  /** Milliseconds a store call may take. */
  readonly timeoutMs: number;
  /** Told how long a reservation waited for the store, in milliseconds. */
  readonly onReserved?: ((ms: number) => void) | undefined;
  /** Told how many reservations nobody ended. */
  readonly onExpired?: ((count: number) => void) | undefined;
  /** Shares of a connection's pools the process heard of last; none when absent. */
  readonly lastShares?: ((connectionId: string) => KnownShares | undefined) | undefined;
  /** Told when the store has come back, maybe empty. */
  readonly onStoreBack?: (() => void) | undefined;
  /** Ids of the environments whose reservations are expired. */
  readonly environments: () => Iterable<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Puts the parts together; nothing runs before `start`. */
export function createCapacity(parts: CapacityParts): Capacity {
  const { clock } = parts;
  const discovered = createDiscovered(clock);
  const view = createCapacityView({ clock, discovered, store: () => admission.store });
  const liveness = createLiveness({
    processId: parts.processId,
    state: parts.sharedState,
    log: parts.log,
    async expire(deadProcesses) {
      for (const environmentId of parts.environments()) {
        const expired = await admission.store.ask((store) =>
          store.expire(environmentId, deadProcesses)
        );
        if (expired === undefined) return;
        if (expired > 0) parts.onExpired?.(expired);
      }
    },
  });
  const admission: Admission = createAdmission({
    ...parts,
    replicas: () => parts.store.shared ? liveness.replicas() : 1,
    lastSeen: (environmentId, meter) => view.last(environmentId, meter),
    onStates: (environmentId, states) => view.note(environmentId, states),
  });
  return {
    admission,
    estimates: createEstimates(),
    discovered,
    view,
    live: createLiveMeters({ admission, clock, discovered, view }),
    liveness,
    start() {
      liveness.start();
      void liveness.beat();
    },
    async stop() {
      liveness.stop();
      view.stop();
      await admission.stop();
    },
  };
}
