import type { ConnectionAllocation } from "@vmx/sdk";
import type { Series } from "#lib/charts/series.ts";

/** Something that happened to a pool's share. */
export interface Move {
  readonly at: number;
  readonly pool: string;
  readonly points: number;
  readonly share: number;
  /** Why, where it was told. */
  readonly reason: string | undefined;
}

type Point = ConnectionAllocation["history"][number];
const mostPoints = 900;

/** The points since a moment, thinned to what a chart can show; of each stretch the last stays. */
export function pointsSince(history: readonly Point[], since: number): readonly Point[] {
  const found = history.filter(({ at }) => Date.parse(at) >= since);
  const step = Math.ceil(found.length / mostPoints);
  return step <= 1 ? found : found.filter((_, index) => (found.length - 1 - index) % step === 0);
}

/** Shares as they stand on each other, with what nobody holds on top. */
export function shareSeries(points: readonly Point[], pools: readonly string[]): Series[] {
  const of = (point: Point, pool: string) => (point.shares as Record<string, number>)[pool] ?? 0;
  return [
    ...pools.map((pool) => ({
      label: pool,
      stacked: true,
      values: points.map((point) => of(point, pool)),
    })),
    {
      label: "free",
      stacked: true,
      tone: 4,
      values: points.map((point) =>
        Math.max(0, 100 - pools.reduce((sum, pool) => sum + of(point, pool), 0))
      ),
    },
  ];
}

/** What each pool asked for. */
export function demandSeries(points: readonly Point[], pools: readonly string[]): Series[] {
  return pools.map((pool) => ({
    label: pool,
    values: points.map((point) => (point.demand as Record<string, number>)[pool] ?? 0),
  }));
}

/**
 * Growth and release between points, the latest first.
 *
 * @param reasons what the gateway told, by pool and moment
 */
export function movesOf(
  points: readonly Point[],
  pools: readonly string[],
  reasons: readonly { readonly pool: string; readonly at: number; readonly reason: string }[],
): Move[] {
  return points.flatMap((point, index): Move[] => {
    const before = points[index - 1];
    if (!before) return [];
    const at = Date.parse(point.at);
    return pools.flatMap((pool): Move[] => {
      const share = (point.shares as Record<string, number>)[pool] ?? 0;
      const points = share - ((before.shares as Record<string, number>)[pool] ?? 0);
      if (Math.abs(points) < 0.5) return [];
      const told = reasons.find((each) => each.pool === pool && Math.abs(each.at - at) < 1_500);
      return [{ at, pool, points, share, reason: told?.reason }];
    });
  }).reverse();
}
