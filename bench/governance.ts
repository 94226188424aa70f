/*
 * What limits and records cost a gateway end to end: processor time per request of its process, with and without, in
 * interleaved rounds. Prints the medians and their ratios, and ends with 1 when one exceeds its target.
 *
 *   node bench/governance.ts --tools ../shared/bench [--rounds 9] [--secs 2] [--redis redis://127.0.0.1:6379]
 *
 * --tools is a folder with `load.c` and `mock-upstream.c`. Without --redis its store is left out. Processor time of
 * the database and of Redis is not counted. The database that takes the records shares the gateway's core, though,
 * and slows it: shipping is a good part of what records cost here.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    tools: { type: "string" },
    rounds: { type: "string", default: "9" },
    secs: { type: "string", default: "2" },
    redis: { type: "string" },
    "mock-port": { type: "string", default: "9103" },
  },
});
if (!options.tools) throw new Error("--tools is missing: a folder with load.c and mock-upstream.c");

interface Variant {
  readonly name: string;
  readonly args: readonly string[];
  /** Most that the processor time may be, as a multiple of the plain gateway's. */
  readonly target?: number;
}

const variants: readonly Variant[] = [
  { name: "plain", args: [] },
  { name: "four limits, memory", args: ["--capacity", "memory"], target: 1.3 },
  ...(options.redis
    ? [{
      name: "four limits, redis",
      args: ["--capacity", "redis", "--redis", options.redis],
      target: 1.5,
    }]
    : []),
  { name: "audit and usage, full payloads", args: ["--records"], target: 1.5 },
];

const folder = mkdtempSync(join(tmpdir(), "vmx-governance-"));
const children: ChildProcess[] = [];
process.on("exit", () => {
  for (const child of children) child.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});
process.on("SIGINT", () => process.exit(130));

for (const tool of ["load", "mock-upstream"]) {
  execFileSync("cc", ["-O2", "-o", join(folder, tool), join(options.tools, `${tool}.c`)]);
}
const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const mock = `127.0.0.1:${options["mock-port"]}`;
const [gatewayCpu, loadCpu] = ["0", "1"];

const loads = [
  { name: "json1k", args: ["-c", "32"], tag: "" },
  { name: "sse20", args: ["-c", "16"], tag: "n=20 d=0 s=12" },
].map((one) => ({ ...one, file: bodyFile(one.name, one.tag) }));

start(loadCpu, join(folder, "mock-upstream"), mock.split(":"));
await answers(`http://${mock}/stats`);
const targets = await Promise.all(variants.map(startVariant));
for (const load of loads) for (const target of targets) await play(target, load, 1);

for (const load of loads) {
  const costs = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const target of targets) {
      costs.get(target.name)!.push(await playUntilServed(target, load));
    }
  }
  console.log(`\n${load.name}, ${options.rounds} rounds: median CPU microseconds per request`);
  const plain = median(costs.get("plain")!);
  for (const { name, target } of variants) {
    const cost = median(costs.get(name)!);
    const ratio = cost / plain;
    const verdict = target === undefined ? "" : `  ${ratio.toFixed(2)}x of ${target}x`;
    console.log(`  ${name.padEnd(34)}${cost.toFixed(1).padStart(8)}${verdict}`);
    if (target !== undefined && ratio > target) process.exitCode = 1;
  }
}
process.exit();

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly place: string;
  readonly key: string;
}

/** A starved machine may let a whole round pass by; one that never serves is no figure. */
async function playUntilServed(target: Target, load: (typeof loads)[number]): Promise<number> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const cost = await play(target, load, Number(options.secs));
    if (cost !== undefined) return cost;
  }
  throw new Error(`"${target.name}" does not serve ${load.name}`);
}

/** Processor microseconds of the target per request; undefined when nothing came back. */
async function play(
  target: Target,
  { args, file }: (typeof loads)[number],
  secs: number,
): Promise<number | undefined> {
  const before = { cpu: cpuSeconds(target.pid), requests: await answered() };
  const load = spawn(
    "taskset",
    [
      ["-c", loadCpu!, join(folder, "load"), "-t", target.place, "-p", "/v1/chat/completions"],
      ["-b", file, "-H", `authorization: Bearer ${target.key}`, ...args],
      ["-d", String(secs), "-w", "0"],
    ].flat(),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  load.stdout.on("data", (chunk: Buffer) => text += chunk);
  await once(load, "close");
  const said = JSON.parse(text) as { ok: number; bad: number; errors: number };
  if (said.ok === 0) return undefined;
  if (said.bad + said.errors > said.ok / 100) {
    throw new Error(`"${target.name}" answers badly: ${text}`);
  }
  await delay(100);
  const after = { cpu: cpuSeconds(target.pid), requests: await answered() };
  // The look at the statistics is a request itself.
  return (after.cpu - before.cpu) * 1e6 / (after.requests - before.requests - 1);
}

async function startVariant({ name, args }: Variant): Promise<Target> {
  const program = fileURLToPath(new URL("governed-gateway.ts", import.meta.url));
  const flags = ["--max-semi-space-size=64"];
  const upstream = ["--upstream", `http://${mock}/v1`];
  const child = start(gatewayCpu, process.execPath, [...flags, program, ...upstream, ...args]);
  const [line] = await once(createInterface(child.stdout!), "line") as [string];
  const { url, key } = JSON.parse(line) as { url: string; key: string };
  return { name, pid: child.pid!, place: new URL(url).host, key };
}

/** `taskset` becomes the command: its process id is the command's. */
function start(cpu: string | undefined, command: string, args: readonly string[]): ChildProcess {
  const child = spawn("taskset", ["-c", cpu!, command, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  children.push(child);
  return child;
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function answered(): Promise<number> {
  const stats = await (await fetch(`http://${mock}/stats`)).json() as { requests: number };
  return stats.requests;
}

async function answers(url: string): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await delay(20)) {
    if ((await fetch(url).catch(() => undefined))?.ok) return;
  }
  throw new Error(`Nothing answers at ${url}`);
}

function bodyFile(name: string, tag: string): string {
  const body = {
    model: "mock-model",
    messages: [
      { role: "system", content: `You are a helpful assistant.${tag && ` [[mock ${tag}]]`}` },
      { role: "user", content: "The quick brown fox jumps over the lazy dog. ".repeat(18) },
    ],
    temperature: 0.7,
    max_tokens: 256,
    ...(tag ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(body));
  return file;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
