import fc from "fast-check";
import type { PoolBounds } from "../../contract/index.ts";
import type { Arrival, Play } from "../testing.ts";

/** How hard each pool is used in one phase, as parts of the whole limit per minute; last, traffic of no pool. */
type Phase = readonly number[];

const whole = 100_000;

/** What the settings may be. */
export const defaults = { windowSeconds: 30, scaleUpThresholdPercent: 50, cooldownSeconds: 5 };
const parameters = fc.oneof(
  { weight: 2, arbitrary: fc.constant(defaults) },
  {
    weight: 1,
    arbitrary: fc.record({
      windowSeconds: fc.integer({ min: 5, max: 60 }),
      scaleUpThresholdPercent: fc.integer({ min: 1, max: 100 }),
      cooldownSeconds: fc.integer({ min: 0, max: 40 }),
    }),
  },
);

/** One to five pools whose minimums fit. Round and odd percentages both occur. */
export const poolsArbitrary: fc.Arbitrary<readonly PoolBounds[]> = fc.array(
  fc.record({
    rank: fc.integer({ min: 0, max: 3 }),
    min: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 }).map((value) => value * 1000)),
    odd: fc.integer({ min: 0, max: 999 }),
    room: fc.oneof(fc.constant(whole), fc.integer({ min: 0, max: whole })),
  }),
  { minLength: 1, maxLength: 5 },
).map((drafts) => {
  let left = whole;
  return drafts.map(({ rank, min, odd, room }, index) => {
    const own = Math.min(left, min === 0 ? 0 : min + odd);
    left -= own;
    return { name: `p${index}`, rank, min: own, max: Math.min(whole, own + room) };
  });
});

/** How plays are drawn. */
export interface PlayOptions {
  /** Whether requests may take more than they reserved. */
  readonly overshoots?: boolean;
  /** Plays for a real clock: eighteen seconds within one window's memory, with everything asked for sooner. */
  readonly isShort?: boolean;
}

/** Plays of one and a half to four minutes over random pools, limits, sizes and arrivals. */
export function playArbitrary(options: PlayOptions = {}): fc.Arbitrary<Play> {
  const { overshoots = false, isShort = false } = options;
  const phaseSeconds = isShort ? 2 : 10;
  const loads = isShort ? [0, 0, 0, 0.5, 2, 6] : [0, 0, 0.1, 0.5, 1, 2];
  return fc.record({
    limit: fc.oneof(
      fc.integer({ min: 50, max: 5_000 }),
      fc.constant(100_000),
      fc.integer({
        min: 5_000,
        max: 5_000_000,
      }),
    ),
    pools: poolsArbitrary,
    parameters: isShort
      ? fc.constant({ windowSeconds: 5, scaleUpThresholdPercent: 50, cooldownSeconds: 1 })
      : parameters,
    phases: fc.array(
      fc.array(fc.constantFrom(...loads), { minLength: 6, maxLength: 6 }),
      { minLength: 9, maxLength: isShort ? 9 : 24, size: "max" },
    ),
    /** Parts of the limit one request takes, in thousandths. */
    sizes: fc.array(fc.constantFrom(...isShort ? [30, 60, 150] : [5, 10, 30, 60, 150]), {
      minLength: 6,
      maxLength: 6,
    }),
    seed: fc.integer(),
  }).map((draft) => ({
    limit: draft.limit,
    pools: draft.pools,
    parameters: draft.parameters,
    seconds: draft.phases.length * phaseSeconds,
    arrivals: arrivalsOf({ ...draft, overshoots, phaseSeconds }),
  }));
}

interface Draft {
  readonly limit: number;
  readonly pools: readonly PoolBounds[];
  readonly phases: readonly Phase[];
  readonly sizes: readonly number[];
  readonly seed: number;
  readonly overshoots: boolean;
  readonly phaseSeconds: number;
}

function arrivalsOf(
  { limit, pools, phases, sizes, seed, overshoots, phaseSeconds }: Draft,
): Arrival[] {
  const random = createRandom(seed);
  const names = [...pools.map(({ name }) => name), undefined];
  const arrivals = phases.flatMap((loads, phase) =>
    names.flatMap((pool, index) => {
      // Traffic of no pool has the last load, whatever the number of pools.
      const at = pool === undefined ? 5 : index;
      const size = Math.max(1, Math.round(limit * sizes[at]! / 1000));
      const count = Math.round(loads[at]! * limit * phaseSeconds / 60 / size);
      return Array.from({ length: count }, (): Arrival => {
        const tokens = Math.max(1, Math.round(size * (0.5 + random())));
        const share = overshoots ? random() * 1.5 : random();
        return {
          atMs: Math.floor((phase + random()) * phaseSeconds * 1000),
          pool,
          tokens,
          used: random() < 0.5 && !overshoots ? tokens : Math.round(tokens * share),
          durationMs: Math.floor(random() * 0.8 * phaseSeconds * 1000),
        };
      });
    })
  );
  return arrivals.sort((one, other) => one.atMs - other.atMs);
}

/** Numbers from [0, 1) that depend on the seed alone (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
