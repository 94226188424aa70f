/** Shares and demand of a connection's pools at one moment. */
export interface AllocationPoint {
  /** Unix milliseconds. */
  readonly at: number;
  readonly pools: readonly {
    readonly name: string;
    /** In units of 0.001 percent. */
    readonly current: number;
    /** Tokens of the window. */
    readonly demand: number;
  }[];
}

/** The past of every connection's shares, as far as this process has heard of it. */
export interface AllocationHistory {
  note(connectionId: string, point: AllocationPoint): void;
  /** Points after `since` in Unix milliseconds, the oldest first: one per minute, the last hour one per second. */
  read(connectionId: string, since?: number): readonly AllocationPoint[];
  latest(connectionId: string): AllocationPoint | undefined;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const minuteMs = 60_000;
/** One per second and a little room for clocks that jump. */
const mostFine = 3_700;
const mostCoarse = 1_500;
/** Connections kept at most; those that moved longest ago give way. */
const mostConnections = 500;

interface Past {
  fine: AllocationPoint[];
  coarse: AllocationPoint[];
}

/** Creates an empty history of bounded size: per connection one hour of seconds and one day of minutes. */
export function createAllocationHistory(): AllocationHistory {
  const pasts = new Map<string, Past>();
  return {
    note(connectionId, point) {
      const past = pasts.get(connectionId) ?? { fine: [], coarse: [] };
      pasts.delete(connectionId);
      pasts.set(connectionId, past);
      if (pasts.size > mostConnections) pasts.delete(pasts.keys().next().value!);
      const last = past.fine.at(-1);
      // Late or repeated points of another process would fold the line back.
      if (last && point.at <= last.at) return;
      if (last && minuteOf(last.at) !== minuteOf(point.at)) past.coarse.push(last);
      past.fine.push(point);
      // Dropped in portions, so that the arrays are not moved for every point.
      if (past.fine.length > mostFine + 100) {
        past.fine = past.fine.slice(-mostFine).filter(({ at }) => at > point.at - hourMs);
      }
      if (past.coarse.length > mostCoarse + 100) past.coarse = past.coarse.slice(-mostCoarse);
    },
    read(connectionId, since = 0) {
      const { fine = [], coarse = [] } = pasts.get(connectionId) ?? {};
      const newest = fine.at(-1)?.at ?? 0;
      const fineFrom = newest - hourMs;
      const begin = Math.max(since, newest - dayMs);
      return [
        ...coarse.filter(({ at }) => at > begin && at <= fineFrom),
        ...fine.filter(({ at }) => at > begin && at > fineFrom),
      ];
    },
    latest: (connectionId) => pasts.get(connectionId)?.fine.at(-1),
  };
}

function minuteOf(at: number): number {
  return Math.floor(at / minuteMs);
}
