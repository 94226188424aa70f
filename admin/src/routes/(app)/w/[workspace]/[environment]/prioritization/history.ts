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

/** Why a pool moved last, as the gateway told it at some time, and the share the pool then had. */
export interface ToldMove {
  readonly pool: string;
  readonly at: number;
  readonly reason: string;
  readonly share: number;
}

/** Between what is told of a move and the point that shows it. */
const nearMs = 1_500;

/**
 * Growth and release, the latest first: between points, and of each pool the first move that was told and that no two
 * points show, because it was over before them.
 *
 * @param since Unix milliseconds; older moves are left out
 */
export function movesOf(
  points: readonly Point[],
  pools: readonly string[],
  told: readonly ToldMove[],
  since: number,
): Move[] {
  const seen = points.flatMap((point, index): Move[] => {
    const before = points[index - 1];
    if (!before) return [];
    const at = Date.parse(point.at);
    return pools.flatMap((pool): Move[] => {
      const share = (point.shares as Record<string, number>)[pool] ?? 0;
      const points = share - ((before.shares as Record<string, number>)[pool] ?? 0);
      if (Math.abs(points) < 0.5) return [];
      const { reason } = told.find((each) => each.pool === pool && isNear(each.at, at)) ?? {};
      return [{ at, pool, points, share, reason }];
    });
  });
  const unseen = pools.flatMap((pool): Move[] => {
    const earliest = told.filter((one) => one.pool === pool && one.at > since)
      .reduce<ToldMove | undefined>((a, b) => a && a.at < b.at ? a : b, undefined);
    if (!earliest || seen.some((one) => one.pool === pool && one.at < earliest.at + nearMs)) {
      return [];
    }
    return [{ ...earliest, points: 0 }];
  });
  return [...unseen, ...seen].toSorted((a, b) => a.at - b.at).reverse();
}

function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) < nearMs;
}
