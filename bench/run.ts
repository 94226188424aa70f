/*
 * Starts a gateway for the benchmark: a fresh data folder, a connection to the mock upstream, the resource
 * `mock-model`. Prints its address and key, and stays until it is interrupted.
 *
 *   node bench/run.ts [--upstream http://127.0.0.1:9101/v1] [--port N] [--cpu 0]
 *   node bench/run.ts --bench ../shared/bench/bench.mjs -- --rounds 5 --assert 'json1k.cpu_us<=2.0*bare'
 *
 * The second form runs the benchmark program against the gateway, with the options after `--`, and ends with its
 * exit code. --cpu pins the gateway, as the benchmark pins the targets it starts by itself.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const readyWithinMs = 60_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    upstream: { type: "string", default: "http://127.0.0.1:9101/v1" },
    port: { type: "string" },
    cpu: { type: "string", default: "0" },
    bench: { type: "string" },
  },
});

const token = randomBytes(32).toString("hex");
const key = `bench-${randomBytes(32).toString("hex")}`;
// A free one unless told otherwise: a fixed one may be somebody else's gateway.
const port = options.port ?? String(await freePort());
const base = `http://127.0.0.1:${port}`;
const folder = await mkdtemp(join(tmpdir(), "vmx-bench-"));
// The embedded database's user must be able to walk through.
await chmod(folder, 0o755);
// The flag is that of `npm start`: a proxy's objects die young, and a larger nursery lets them.
const flags = ["--max-semi-space-size=64"];
const program = [process.execPath, ...flags, "core/main.ts"];
const gateway = spawn("taskset", ["-c", options.cpu, ...program], {
  cwd: root,
  stdio: ["ignore", "ignore", "inherit"],
  env: {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    PORT: port,
    DATA_DIR: join(folder, "data"),
    LOG_LEVEL: "warn",
    VMX_ADMIN_TOKEN: token,
    VMX_BOOTSTRAP_API_KEY: key,
    VMX_BOOTSTRAP_QUIET: "true",
  },
});
const ended = once(gateway, "exit");
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => gateway.kill("SIGTERM"));
}

try {
  await ready();
  await configure();
  console.log(`Ready: --url ${base}/v1 --key ${key}`);
  if (options.bench) process.exitCode = await runBench(options.bench);
  else await ended;
} finally {
  gateway.kill("SIGTERM");
  await ended;
  await rm(folder, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function ready(): Promise<void> {
  for (const end = performance.now() + readyWithinMs; performance.now() < end;) {
    if (gateway.exitCode !== null) throw new Error("The gateway did not start; see above");
    const answer = await fetch(`${base}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(50);
  }
  throw new Error(`The gateway was not ready within ${readyWithinMs / 1000} s`);
}

async function configure(): Promise<void> {
  const workspaces = await manage("GET", "/workspaces?name=default");
  const below = `/workspaces/${workspaces.data[0]?.workspaceId}/environments`;
  const environments = await manage("GET", `${below}?name=default`);
  const place = `${below}/${environments.data[0]?.environmentId}`;
  await manage("POST", `${place}/ai-connections`, {
    name: "mock",
    provider: "openai-compatible",
    config: { baseUrl: options.upstream },
  });
  await manage("POST", `${place}/ai-resources`, {
    name: "mock-model",
    model: { connectionName: "mock", model: "mock-model" },
  });
}

interface ListAnswer {
  readonly data: readonly { readonly workspaceId: string; readonly environmentId: string }[];
}

async function manage(method: string, path: string, body?: object): Promise<ListAnswer> {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

async function runBench(program: string): Promise<number> {
  const bench = spawn(
    process.execPath,
    [program, "--url", `${base}/v1`, "--key", key, ...positionals],
    { stdio: "inherit" },
  );
  const [code] = await once(bench, "exit");
  return code ?? 1;
}
