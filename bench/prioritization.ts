/*
 * What pools do to an hour of recorded traffic: a chat service and a coding service share one connection. Replays
 * the arrivals with a clock of its own through the real store, gates and recomputation, prints who was served, and
 * draws demand, shares and refusals.
 *
 *   node bench/prioritization.ts [--traces ../shared/fixtures/traces] [--limit 500000] [--out data/bench]
 *
 * The traces are CSV files with the columns TIMESTAMP, ContextTokens and GeneratedTokens, named `*-conv.csv` and
 * `*-code.csv`; VMX_BENCH_TRACES names their folder too.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTestPlugins, play } from "../core/prioritization/testing.ts";
import { chart } from "./prioritization-chart.ts";

const { values: options } = parseArgs({
  options: {
    traces: {
      type: "string",
      default: process.env["VMX_BENCH_TRACES"] ?? "../shared/fixtures/traces",
    },
    limit: { type: "string", default: "500000" },
    out: { type: "string", default: "data/bench" },
  },
});
const limit = Number(options.limit);
const pools = [
  { name: "chat", rank: 0, min: 30_000, max: 100_000 },
  { name: "code", rank: 1, min: 20_000, max: 70_000 },
];
const parameters = { windowSeconds: 30, scaleUpThresholdPercent: 50, cooldownSeconds: 5 };
/** Share of the output an estimate gets right, so that settling has something to correct. */
const expectedOutput = 150;
/** Seconds summed up in one step of the chart. */
const stepSeconds = 10;

const chat = await readTrace("-conv.csv");
const code = await readTrace("-code.csv");
// Both hours start together, whatever second the recordings began in.
const arrivals = [...arrivalsOf(chat, "chat"), ...arrivalsOf(code, "code")]
  .sort((one, other) => one.atMs - other.atMs);
const seconds = 3_600;
const steps = Array.from({ length: seconds / stepSeconds }, (_, index) => ({
  second: index * stepSeconds,
  pools: pools.map(() => ({ asked: 0, served: 0, refused: 0, share: 0 })),
}));

const plugins = await loadTestPlugins();
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
const ending = await play(plugins, { limit, pools, parameters, seconds, arrivals }, {
  onRequest({ arrival, reply }) {
    const step = steps[Math.min(steps.length - 1, Math.floor(arrival.atMs / 1000 / stepSeconds))]!;
    const tally = step.pools[pools.findIndex(({ name }) => name === arrival.pool)]!;
    tally.asked += arrival.tokens;
    if (reply.admitted) tally.served += arrival.tokens;
    else tally.refused += arrival.tokens;
  },
  onRound(state, second) {
    const step = steps[Math.floor((second - 1) / stepSeconds)]!;
    pools.forEach(({ name, min }, index) => {
      const share = state.pools.find((one) => one.name === name)?.current ?? min;
      step.pools[index]!.share = share / 1000;
    });
  },
});
await plugins.stop();
const elapsedMs = performance.now() - startedAt;
const cpu = process.cpuUsage(startedCpu);

console.log(
  `${arrivals.length} requests in one hour, ${limit} tokens per minute, replayed in ` +
    `${(elapsedMs / 1000).toFixed(1)} s (${
      ((cpu.user + cpu.system) / arrivals.length).toFixed(0)
    } us of CPU per request)`,
);
for (const { name, min, max } of pools) {
  const served = ending.admitted.get(name) ?? 0;
  const refused = ending.refused.get(name) ?? 0;
  console.log(
    `${name.padEnd(5)} ${min / 1000} to ${max / 1000} %  asked ${
      served + refused
    } tokens, served ` +
      `${served} (${(100 * served / (served + refused)).toFixed(1)} %), refused ${refused}`,
  );
}
const minutes = [...ending.minutes.values()];
const fullest = Math.max(...minutes.map(({ total }) => total));
const beyond = minutes.filter(({ total, overshoot }) => total > limit + overshoot).length;
console.log(
  `fullest minute: ${fullest} tokens, ${
    (100 * fullest / limit).toFixed(1)
  } % of the limit; minutes that ` +
    `exceed the limit by more than answers took over their reservation: ${beyond}`,
);
console.log(`breaches of the allocation law: ${ending.violations}`);

await mkdir(options.out, { recursive: true });
const file = join(options.out, "prioritization.svg");
await writeFile(file, chart({ limit, pools, steps, stepSeconds }));
console.log(`chart: ${file}`);

interface Request {
  readonly atMs: number;
  readonly input: number;
  readonly output: number;
}

async function readTrace(ending: string): Promise<Request[]> {
  const names = await readdir(options.traces).catch(() => []);
  const name = names.find((file) => file.endsWith(ending));
  if (!name) throw new Error(`Cannot find a trace: ${options.traces} holds no *${ending}`);
  const lines = (await readFile(join(options.traces, name), "utf8")).trim().split("\n").slice(1);
  const rows = lines.map((line) => {
    const [timestamp, input, output] = line.split(",");
    // Seven digits of a second: a Date keeps three of them.
    const at = Date.parse(`${timestamp!.slice(0, 23).replace(" ", "T")}Z`);
    return { atMs: at, input: Number(input), output: Number(output) };
  });
  const first = rows[0]!.atMs;
  return rows.map((row) => ({ ...row, atMs: row.atMs - first }));
}

function arrivalsOf(requests: readonly Request[], pool: string) {
  return requests.map(({ atMs, input, output }) => ({
    atMs,
    pool,
    tokens: input + expectedOutput,
    used: input + output,
    // A model that writes forty tokens a second.
    durationMs: 500 + output * 25,
  }));
}
