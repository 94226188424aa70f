import type { ConnectionAllocation } from "@vmx/schemas";
import type { Clock, Log, Prioritization, SharedState } from "../contract/index.ts";
import type { GuardedStore } from "../capacity/guarded-store.ts";
import type { EnvironmentView, Snapshot } from "../store/snapshot.ts";
import {
  type AllocationHistory,
  type AllocationPoint,
  createAllocationHistory,
} from "./allocation-history.ts";
import { type AllocationQuery, viewAllocation } from "./allocation-view.ts";
import { createRecomputeSchedule } from "./recompute-schedule.ts";

/** How pools share connections, as one process does and sees it. */
export interface Allocation {
  /** Says that a leg asked the connection for tokens. Cheap: called for every leg that has a pool gate. */
  touch(connectionId: string): void;
  /** Present shares and their past. Never rejects. */
  view(
    environment: EnvironmentView,
    query: AllocationQuery,
  ): Promise<readonly ConnectionAllocation[]>;
  /** The shares and demand of a connection's pools this process has heard of last. */
  latest(connectionId: string): AllocationPoint | undefined;
  /** The pools of a connection as the last recomputation left them that this process made or heard of. */
  lastShares(connectionId: string): AllocationPoint["pools"] | undefined;
  /** Breaches of the allocation law this process has seen. */
  violations(): number;
  /** One round of recomputation; `start` makes one every second. */
  round(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** What allocation stands on. */
export interface AllocationParts {
  readonly store: Pick<GuardedStore, "ask">;
  readonly prioritization: () => Promise<Prioritization>;
  readonly sharedState: () => Promise<SharedState>;
  readonly snapshot: () => Snapshot;
  readonly processId: string;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Log;
}

const channel = "allocation";

/** Puts the parts together. Nothing runs before `start` or `round`. */
export function createAllocation(parts: AllocationParts): Allocation {
  const { processId } = parts;
  const history: AllocationHistory = createAllocationHistory();
  let violations = 0;
  let toldAt: number | undefined;
  let leave: Promise<() => Promise<void>> | undefined;

  const schedule = createRecomputeSchedule({
    ...parts,
    onViolation(fault, fields) {
      violations++;
      const now = parts.clock.monotonic();
      if (now - (toldAt ?? -Infinity) < tellAgainMs) return;
      toldAt = now;
      parts.log.error(`The allocation law is broken: ${fault}`, { ...fields, violations });
    },
    onPoint(connectionId, point) {
      history.note(connectionId, point);
      // The others' copies may lack a point; their next one comes within a second.
      parts.sharedState()
        .then((shared) => shared.publish(channel, encode({ processId, connectionId, point })))
        .catch(() => {});
    },
  });

  function hear(message: string): void {
    const heard = decode(message);
    if (!heard || heard.processId === processId) return;
    const before = history.latest(heard.connectionId);
    history.note(heard.connectionId, heard.point);
    schedule.hear(heard.connectionId, heard.point, before);
  }

  /** Tries again with every round until it has worked. */
  function listen(): void {
    leave ??= parts.sharedState().then((shared) => shared.subscribe(channel, hear));
    leave.catch(() => void (leave = undefined));
  }

  let timer: ReturnType<typeof setInterval> | undefined;
  const allocation: Allocation = {
    touch: schedule.touch,
    view: (environment, query) =>
      viewAllocation(
        { ...parts, history, prioritization: () => parts.prioritization().catch(() => undefined) },
        environment,
        query,
      ),
    latest: history.latest,
    lastShares: (connectionId) => history.latest(connectionId)?.pools,
    violations: () => violations,
    async round() {
      listen();
      await schedule.round();
    },
    start() {
      listen();
      timer ??= setInterval(() => void allocation.round(), roundMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await leave?.then((end) => end()).catch(() => {});
    },
  };
  return allocation;
}

const roundMs = 1_000;
/** Milliseconds between two lines about a broken law: a broken plugin breaks it every second. */
const tellAgainMs = 60_000;

interface Message {
  readonly processId: string;
  readonly connectionId: string;
  readonly point: AllocationPoint;
}

function encode({ processId, connectionId, point }: Message): string {
  const pools = point.pools.map(({ name, current, demand }) => [name, current, demand]);
  return JSON.stringify([processId, connectionId, point.at, pools]);
}

/** Undefined for what another version of the gateway may have sent. */
function decode(message: string): Message | undefined {
  try {
    const [processId, connectionId, at, pools] = JSON.parse(message);
    return {
      processId,
      connectionId,
      point: {
        at: Number(at),
        pools: (pools as [string, number, number][]).map(([name, current, demand]) => ({
          name,
          current,
          demand,
        })),
      },
    };
  } catch {
    return undefined;
  }
}
