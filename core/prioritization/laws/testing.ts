import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { PoolBounds, PoolState } from "../../contract/index.ts";
import { lawFaults, wholeConnection } from "../law.ts";
import { defaults, playArbitrary, poolsArbitrary } from "../plays/testing.ts";
import { type Audience, type Ending, type Play, play, type TestPlugins } from "../testing.ts";

/** A statement of the allocation law with what shows it. */
export interface Law {
  readonly title: string;
  /** Part of the runs it gets; what is slow gets fewer. */
  readonly weight: number;
  /** What it is shown on. */
  readonly plays: fc.Arbitrary<Play>;
  /** Rejects when the play breaks the law. */
  check(plugins: TestPlugins, play: Play): Promise<unknown>;
  /** Follows any play and throws when it breaks the law; absent where plays must be made for it. */
  readonly watch?: Watch;
}

/** Follows a play and says what must hold at its scenes. */
type Watch = (play: Play) => Audience & { end?(ending: Ending): void };

const law = (title: string, watch: Watch, weight = 1, plays = playArbitrary()): Law => ({
  title,
  weight,
  plays,
  watch,
  check: (plugins, drawn) => playBefore(plugins, drawn, [watch]),
});

/** Plays before all the watches at once. */
export async function playBefore(
  plugins: TestPlugins,
  drawn: Play,
  watches: readonly Watch[],
): Promise<Ending> {
  const audiences = watches.map((watch) => watch(drawn));
  const ending = await play(plugins, drawn, {
    onRequest: (scene) => audiences.forEach((one) => one.onRequest?.(scene)),
    onRound: (state, seconds) => audiences.forEach((one) => one.onRound?.(state, seconds)),
  });
  equal(ending.violations, 0, "the run-time check sees no breach either");
  for (const audience of audiences) audience.end?.(ending);
  return ending;
}

const boundsOf = ({ pools }: Play, name: string | undefined): PoolBounds | undefined =>
  pools.find((pool) => pool.name === name);

/** Tokens a part of the connection stands for, without rounding. */
const tokensOf = ({ limit }: Play, units: number): number => limit * units / wholeConnection;

const sharesOf = (state: PoolState) => new Map(state.pools.map((pool) => [pool.name, pool]));

/** Every law that is a statement about plays of one process. */
export const laws: readonly Law[] = [
  law("L1, L2: shares stay within their bounds and never come to more than the whole", (play) => {
    const check = (state: PoolState) => equal(lawFaults(play.pools, state.pools).join(), "");
    return { onRequest: ({ after }) => check(after), onRound: check };
  }),

  law("L3: a request within its pool's minimum is never refused, whatever others do", (play) => ({
    onRequest({ arrival, reply, use }) {
      const bounds = boundsOf(play, arrival.pool);
      if (!bounds || use(arrival.pool) + arrival.tokens > tokensOf(play, bounds.min)) return;
      ok(reply.admitted, `${arrival.tokens} of ${arrival.pool} at ${arrival.atMs} ms`);
    },
  })),

  law("L4: a pool never uses more than its maximum in a calendar minute", (play) => ({
    onRequest({ arrival, reply, use }) {
      const bounds = boundsOf(play, arrival.pool);
      if (!bounds || !reply.admitted) return;
      ok(use(arrival.pool) + arrival.tokens <= tokensOf(play, bounds.max));
    },
  })),

  law("L5: the connection never uses more than its limit in a calendar minute", ({ limit }) => ({
    onRequest({ arrival, reply, total }) {
      if (reply.admitted) ok(total + arrival.tokens <= limit);
    },
  })),

  law(
    "L4, L5 with requests that take more than they reserved: the excess is the overshoot alone",
    (play) => ({
      end({ minutes }) {
        for (const { byPool, total, overshoot } of minutes.values()) {
          ok(total <= play.limit + overshoot, `${total} > ${play.limit} + ${overshoot}`);
          for (const { name, max } of play.pools) {
            ok((byPool.get(name) ?? 0) <= tokensOf(play, max) + overshoot);
          }
        }
      },
    }),
    1,
    playArbitrary({ overshoots: true }),
  ),

  law("L6: nothing is refused that its maximum, the others' minimums and the free share allow", (
    play,
  ) => ({
    onRequest({ arrival, reply, before, use, total }) {
      if (reply.admitted || total + arrival.tokens > play.limit) return;
      const bounds = boundsOf(play, arrival.pool);
      const shares = sharesOf(before);
      const current = (pool: PoolBounds) => shares.get(pool.name)?.current ?? pool.min;
      const protectedTokens = play.pools.reduce(
        (sum, { name, min }) =>
          name === arrival.pool ? sum : sum + Math.max(0, tokensOf(play, min) - use(name)),
        0,
      );
      const eatsMinimum = total + arrival.tokens + protectedTokens > play.limit;
      if (eatsMinimum) return;
      ok(bounds, "traffic of no pool has no share to lack");
      const wanted = use(arrival.pool) + arrival.tokens;
      if (wanted > tokensOf(play, bounds.max)) return;
      const free = play.pools.reduce((rest, pool) => rest - current(pool), wholeConnection);
      const needed = wanted * wholeConnection / play.limit - current(bounds);
      ok(needed > free, `${needed} needed, ${free} free`);
    },
  })),

  law("L7: share that is no longer used becomes free again", (play) => {
    // A share is no longer used from its pool's last request, settlement or growth on, whichever came last.
    const since = new Map<string, number>();
    const { windowSeconds, cooldownSeconds } = play.parameters;
    const patienceSeconds = Math.max(windowSeconds, cooldownSeconds) + 1;
    const wishes = new Map<string, number>();
    return {
      onRequest({ arrival }) {
        if (arrival.pool === undefined) return;
        const until = (arrival.atMs + arrival.durationMs) / 1000;
        wishes.set(arrival.pool, Math.max(wishes.get(arrival.pool) ?? 0, until));
      },
      onRound(state, seconds) {
        for (const { name, current, lastGrowthAt } of state.pools) {
          const { min } = boundsOf(play, name)!;
          const grown = lastGrowthAt === 0 ? 0 : seconds - (state.now - lastGrowthAt) / 1000;
          since.set(name, Math.max(grown, wishes.get(name) ?? 0));
          if (seconds < since.get(name)! + patienceSeconds) continue;
          ok(current - min <= 1000, `${name} still has ${current} at ${seconds} s`);
        }
      },
    };
  }),

  law("L8: a pool gets its target before any behind it gets more than its minimum", (play) => ({
    onRound(state) {
      const shares = sharesOf(state);
      const { windowSeconds: _, scaleUpThresholdPercent: threshold } = play.parameters;
      for (const pool of play.pools) {
        const share = shares.get(pool.name);
        if (!share) continue;
        const wanted = Math.ceil(share.demand * 100 * wholeConnection / (play.limit * threshold));
        if (share.current >= Math.min(pool.max, Math.max(pool.min, wanted))) continue;
        for (const behind of play.pools.filter(({ rank }) => rank > pool.rank)) {
          const current = shares.get(behind.name)?.current ?? behind.min;
          ok(current <= behind.min, `${pool.name} lacks what ${behind.name} has: ${current}`);
        }
      }
    },
  })),

  law("L9: a pool with a minimum is served in every minute in which it asks", (play) => {
    const asked = new Set<string>();
    const served = new Set<string>();
    return {
      onRequest({ arrival, reply, minute }) {
        const bounds = boundsOf(play, arrival.pool);
        if (!bounds) return;
        const key = `${arrival.pool} in minute ${minute}`;
        if (arrival.tokens <= tokensOf(play, bounds.min)) asked.add(key);
        if (reply.admitted) served.add(key);
      },
      end: () => asked.forEach((key) => ok(served.has(key), key)),
    };
  }),

  {
    title: "L10: a pool alone reaches all but the others' minimums within its first minute",
    weight: 1,
    plays: lonePlays(),
    async check(plugins, drawn) {
      const { name } = drawn.pools[0]!;
      let most = 0;
      await play(plugins, drawn, {
        onRound(state) {
          most = Math.max(most, sharesOf(state).get(name)?.current ?? 0);
        },
      });
      const others = drawn.pools.slice(1).reduce((sum, { min }) => sum + min, 0);
      equal(most, wholeConnection - others);
    },
  },

  {
    title: "L11: two processes admit what one admits",
    weight: 0.5,
    plays: playArbitrary(),
    async check(plugins, drawn) {
      const one = await play(plugins, drawn);
      const two = await play(plugins, { ...drawn, processes: 2 });
      equal(text(two.admitted), text(one.admitted));
      equal(text(two.refused), text(one.refused));
    },
  },
];

/** One pool that may have everything and asks for twice the limit, steadily, among pools that ask for nothing. */
function lonePlays(): fc.Arbitrary<Play> {
  return fc.record({
    pools: poolsArbitrary,
    rank: fc.integer({ min: 0, max: 3 }),
    limit: fc.integer({ min: 1_000, max: 1_000_000 }),
    parts: fc.integer({ min: 20, max: 200 }),
  }).map(({ pools, rank, limit, parts }) => {
    const tokens = Math.ceil(limit / parts);
    return {
      limit,
      pools: pools.map((pool, index) =>
        index === 0 ? { ...pool, rank, max: wholeConnection } : pool
      ),
      parameters: defaults,
      seconds: 60,
      arrivals: Array.from({ length: 2 * parts }, (_, index) => ({
        atMs: Math.floor((index + 0.5) * 60_000 / (2 * parts)),
        pool: pools[0]!.name,
        tokens,
        used: tokens,
        durationMs: 500,
      })),
    };
  });
}

function text(totals: ReadonlyMap<string | undefined, number>): string {
  return JSON.stringify([...totals].sort());
}
