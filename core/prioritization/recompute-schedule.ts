import type { Clock, Log, LogFields } from "../contract/plugin.ts";
import type { Prioritization } from "../contract/prioritization.ts";
import type { SharedState } from "../contract/shared-state.ts";
import type { GuardedStore } from "../capacity/guarded-store.ts";
import type { ConnectionView, EnvironmentView, Snapshot } from "../store/snapshot.ts";
import type { AllocationPoint } from "./allocation-history.ts";
import { poolGateOf } from "./pool-gate.ts";
import { type Recomputed, recomputeShares } from "./recompute-shares.ts";

/** Recomputes shares where there is something to move, at most once per second and connection in all processes. */
export interface RecomputeSchedule {
  /** Says that a leg asked the connection for tokens. Cheap: called for every leg. */
  touch(connectionId: string): void;
  /** Goes once over the connections that are awake. */
  round(): Promise<void>;
  /** Hears of a point another process made, after the one it made before. */
  hear(connectionId: string, point: AllocationPoint, before: AllocationPoint | undefined): void;
}

/** What a schedule works with. */
export interface ScheduleParts {
  readonly store: Pick<GuardedStore, "ask">;
  readonly prioritization: () => Promise<Prioritization>;
  readonly sharedState: () => Promise<SharedState>;
  readonly snapshot: () => Snapshot;
  readonly processId: string;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Log;
  /** Told of each breach of the allocation law. */
  readonly onViolation: (fault: string, fields: LogFields) => void;
  /** Told of each recomputation of this process. */
  readonly onPoint: (connectionId: string, point: AllocationPoint) => void;
}

/** Milliseconds the right to recompute a connection lasts. */
const leaseMs = 1_000;
/** The law holds in stored shares from the first full minute after a change of limit or definition. */
const steadyAfterMs = 120_000;
/** Longest wait for the shared state, in milliseconds. */
const patienceMs = 500;

/** Creates the schedule; nothing runs before `round`. */
export function createRecomputeSchedule(parts: ScheduleParts): RecomputeSchedule {
  const { clock, log } = parts;
  /** Until when each connection is looked after, by the monotonic clock. */
  const awakeUntil = new Map<string, number>();
  const since = new WeakMap<EnvironmentView, number>();
  const running = new Set<string>();
  const troubles = createTroubles(log);

  /** Connections that take part in pools. New definitions and limits wake theirs up. */
  function* subjects(): Generator<readonly [EnvironmentView, ConnectionView]> {
    for (const environment of parts.snapshot().environments.values()) {
      if (environment.pools.length === 0) continue;
      const isNew = !since.has(environment);
      if (isNew) since.set(environment, clock.monotonic());
      for (const connection of environment.connections.values()) {
        if (!poolGateOf(environment, connection, undefined)) continue;
        if (isNew) wake(connection.connectionId, environment);
        yield [environment, connection];
      }
    }
  }

  function wake(connectionId: string, { settings }: Pick<EnvironmentView, "settings">): void {
    const { windowSeconds, cooldownSeconds } = settings.prioritization;
    const ms = (Math.max(windowSeconds, cooldownSeconds) + 5) * 1000;
    awakeUntil.set(connectionId, clock.monotonic() + ms);
  }

  async function visit(environment: EnvironmentView, connection: ConnectionView): Promise<void> {
    const { connectionId } = connection;
    const lease = `recompute:${environment.environmentId}:${connectionId}`;
    const shared = await within(parts.sharedState());
    if (!await within(shared.lease(lease, parts.processId, leaseMs))) return;
    const result = await recomputeShares(
      { ...parts, prioritization: await parts.prioritization() },
      environment,
      connection,
      clock.monotonic() - since.get(environment)! > steadyAfterMs,
    );
    if (result === "idle") return;
    if (result === "later") return wake(connectionId, environment);
    if (isMoving(result)) wake(connectionId, environment);
    parts.onPoint(connectionId, pointOf(result));
  }

  return {
    touch: (connectionId) => void awakeUntil.set(connectionId, Infinity),
    async round() {
      const visits: Promise<void>[] = [];
      for (const [environment, connection] of subjects()) {
        const { connectionId } = connection;
        const until = awakeUntil.get(connectionId);
        // The first round after a leg sets the end: no leg pays for it.
        if (until === Infinity) wake(connectionId, environment);
        if (until === undefined || running.has(connectionId)) continue;
        if (until < clock.monotonic()) {
          awakeUntil.delete(connectionId);
          continue;
        }
        running.add(connectionId);
        const visited = visit(environment, connection)
          .then(() => troubles.over(), (error: unknown) => {
            troubles.note({ error });
            wake(connectionId, environment);
          })
          .finally(() => running.delete(connectionId));
        visits.push(visited);
      }
      await Promise.all(visits);
    },
    hear(connectionId, point, before) {
      // Whoever hears of movement takes over should the other process die. What rests wakes nobody.
      if (!hasDemand(point.pools) && sharesText(point) === sharesText(before)) return;
      for (const environment of parts.snapshot().environments.values()) {
        if (environment.connections.has(connectionId)) wake(connectionId, environment);
      }
    },
  };
}

/**
 * Whether shares may move again without further legs. Once nothing has moved and nothing was asked for during window
 * and cooldown, only a leg or a new definition can change that.
 */
function isMoving({ allocation, state }: Recomputed): boolean {
  return hasDemand(state.pools) || allocation.shares.some(({ action }) => action !== "none");
}

function hasDemand(pools: readonly { readonly demand: number }[]): boolean {
  return pools.some(({ demand }) => demand > 0);
}

function sharesText(point: AllocationPoint | undefined): string {
  return JSON.stringify(point?.pools.map(({ name, current }) => [name, current]));
}

function pointOf({ allocation, state }: Recomputed): AllocationPoint {
  const demands = new Map(state.pools.map(({ name, demand }) => [name, demand]));
  return {
    at: state.now,
    pools: allocation.shares.map(({ name, current }) => ({
      name,
      current,
      demand: demands.get(name) ?? 0,
    })),
  };
}

/** One line when shares stop moving, and one when they move again. */
function createTroubles(log: Log) {
  let troubled = false;
  return {
    note(fields: LogFields): void {
      if (!troubled) {
        log.warn("Shares of pools stay as they are: they cannot be recomputed", fields);
      }
      troubled = true;
    },
    over(): void {
      if (troubled) log.info("Shares of pools are recomputed again");
      troubled = false;
    },
  };
}

function within<Value>(promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`The shared state did not answer within ${patienceMs} ms`)),
      patienceMs,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
