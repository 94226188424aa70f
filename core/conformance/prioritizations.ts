import { deepEqual, equal, ok } from "node:assert/strict";
import type { PoolBounds, PoolShare } from "../contract/capacity-store.ts";
import type { Allocation, Prioritization, RecomputeInput } from "../contract/prioritization.ts";
import type { Case } from "./case.ts";

/** What the suite needs of a prioritization. */
export interface PrioritizationSubject {
  create(): Prioritization | Promise<Prioritization>;
}

const whole = 100_000;
const rounds = 300;

/** What every `Prioritization` must do, over pools, shares and demand of all kinds. */
export function prioritizationCases(subject: PrioritizationSubject): readonly Case[] {
  const always = (check: (next: Allocation, input: RecomputeInput) => void) => async () => {
    const prioritization = await subject.create();
    const random = createRandom();
    for (let round = 0; round < rounds; round++) {
      const input = randomInput(random);
      const text = JSON.stringify(input);
      const next = prioritization.recompute(input);
      equal(JSON.stringify(input), text, "the input is left as it was");
      check(next, input);
    }
  };
  return [
    {
      name: "answers one share per defined pool, in the order of the definition",
      run: always((next, { pools }) =>
        deepEqual(next.shares.map(({ name }) => name), pools.map(({ name }) => name))
      ),
    },
    {
      name: "keeps whole units within the bounds, also when those have changed",
      run: always((next, { pools }) =>
        next.shares.forEach(({ current, target }, index) => {
          const { min, max } = pools[index]!;
          for (const value of [current, target]) {
            ok(
              Number.isInteger(value) && value >= min && value <= max,
              `${value} of ${min}-${max}`,
            );
          }
        })
      ),
    },
    {
      name: "gives away no more than the whole, and tells what is left",
      run: always((next) => {
        equal(next.free, whole - next.shares.reduce((sum, { current }) => sum + current, 0));
        ok(next.free >= 0);
      }),
    },
    {
      name: "names what it did and why",
      run: always((next, { state, pools }) =>
        next.shares.forEach(({ name, current, action, reason }, index) => {
          const before = state.pools.find((share) => share.name === name)?.current ??
            pools[index]!.min;
          equal(action, current === before ? "none" : current > before ? "up" : "down");
          ok(reason.length > 0 && reason.length < 4000 && !/NaN|undefined/.test(reason), reason);
        })
      ),
    },
    {
      name: "answers the same for the same input",
      run: async () => {
        const prioritization = await subject.create();
        const input = randomInput(createRandom());
        deepEqual(prioritization.recompute(input), prioritization.recompute(input));
      },
    },
    {
      name: "comes to rest while nothing changes",
      run: async () => {
        const prioritization = await subject.create();
        const random = createRandom();
        for (let round = 0; round < rounds; round++) {
          let input = randomInput(random);
          for (let step = 0; step < 5; step++) input = later(input, prioritization);
          const settled = input.state.pools.map(({ current }) => current);
          const after = later(input, prioritization).state.pools.map(({ current }) => current);
          deepEqual(after, settled);
        }
      },
    },
  ];
}

/** The input ten minutes on, when every rest is over, with the same demand. */
function later(input: RecomputeInput, prioritization: Prioritization): RecomputeInput {
  const { shares } = prioritization.recompute(input);
  const known = new Map(input.state.pools.map((share) => [share.name, share]));
  const pools = shares.map(({ name, current, lastGrowthAt }): PoolShare => ({
    name,
    current,
    lastGrowthAt,
    usedThisMinute: 0,
    deniedThisMinute: 0,
    demand: known.get(name)?.demand ?? 0,
  }));
  const { now, version } = input.state;
  return { ...input, state: { ...input.state, version: version + 1, now: now + 600_000, pools } };
}

type Random = (below: number) => number;

function randomInput(random: Random): RecomputeInput {
  const count = random(6);
  const limit = 1 + random(random(2) === 0 ? 1000 : 5_000_000);
  const now = 1_800_000_000_000 + random(1_000_000);
  let left = whole;
  const pools = Array.from({ length: count }, (_, index): PoolBounds => {
    const min = random(2) === 0 ? 0 : random(left + 1);
    left -= min;
    return { name: `p${index}`, rank: random(3), min, max: min + random(whole - min + 1) };
  });
  let sum = whole;
  const shares = Array.from({ length: random(7) }, (_, index): PoolShare => {
    // As the store would hold them: never more than the whole, yet not within bounds that changed since.
    const current = random(sum + 1);
    sum -= current;
    return {
      name: `p${index}`,
      current,
      lastGrowthAt: random(2) === 0 ? 0 : now - random(20_000),
      usedThisMinute: random(limit),
      deniedThisMinute: random(5),
      demand: random(2) === 0 ? 0 : random(2 * limit),
    };
  });
  return {
    pools,
    limit,
    state: { version: 1, now, unassignedUsed: 0, pools: shares },
    parameters: {
      windowSeconds: 5 + random(296),
      scaleUpThresholdPercent: 1 + random(100),
      cooldownSeconds: random(301),
    },
  };
}

/** The same numbers in every run (mulberry32). */
function createRandom(): Random {
  let state = 20_240_117;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}
