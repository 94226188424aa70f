import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "../command/testing.ts";
import { loadConfig } from "../config.ts";
import { installationRoot } from "../host/discover.ts";
import { createKernel } from "../kernel.ts";
import { startEmbedded } from "../store/embedded.ts";
import { disposable, pauseServer, silentLog } from "../store/testing.ts";

/** How a gateway came through a time without its database. */
export interface OutageReport {
  readonly requests: number;
  readonly failed: number;
  readonly beforeP99Ms: number;
  readonly duringP99Ms: number;
  /** Requests without a row in the end. */
  readonly missing: number;
  /** Milliseconds from the database's return to the last row. */
  readonly completeAfterMs: number;
}

/** Runs a gateway under load while its database is stopped or paused for `durationMs`. */
export async function runThroughOutage(
  kind: "stopped" | "paused",
  durationMs: number,
): Promise<OutageReport> {
  const databaseDir = mkdtempSync(join(tmpdir(), "vmx-outage-"));
  const startDatabase = () =>
    startEmbedded({
      dataDir: databaseDir,
      log: silentLog,
      outside: `${databaseDir}-outside`,
      settings: disposable,
    });
  const folder = temporaryFolder();
  let server = await startDatabase();
  const environment = {
    DATA_DIR: folder.path,
    DATABASE_URL: server.url,
    PORT: "0",
    LOG_LEVEL: "fatal",
  };
  const kernel = await createKernel(loadConfig(environment, installationRoot()), environment);
  try {
    const load = startLoad(kernel.url, kernel.firstRun!.apiKey.value);
    await delay(2_000);
    load.reset();
    await delay(3_000);
    const before = load.reset();
    let wake = () => {};
    if (kind === "paused") wake = pauseServer(server.pid);
    else await server.stop();
    await delay(durationMs);
    const during = load.reset();
    if (kind === "paused") wake();
    else server = await startDatabase();
    const backAt = performance.now();
    await delay(500);
    const ids = await load.stop();
    let missing = ids.length;
    while (missing > 0 && performance.now() - backAt < 60_000) {
      await delay(100);
      const [row] = await kernel.database.statements.read<{ count: string }>(
        "select count(distinct request_id) as count from vmx.audit where request_id = any($1)",
        [ids],
      ).catch(() => []);
      missing = ids.length - Number(row?.count ?? 0);
    }
    return {
      requests: ids.length,
      failed: load.failed(),
      beforeP99Ms: p99(before),
      duringP99Ms: p99(during),
      missing,
      completeAfterMs: Math.round(performance.now() - backAt),
    };
  } finally {
    await kernel.stop();
    await server.stop();
    folder.remove();
    for (const path of [databaseDir, `${databaseDir}-outside`]) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

function startLoad(url: string, apiKey: string) {
  const ids: string[] = [];
  let times: number[] = [];
  let failed = 0;
  let running = true;
  const clients = Array.from({ length: 4 }, async (_, client) => {
    while (running) {
      const startedAt = performance.now();
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}` },
        body: JSON.stringify({
          model: "demo",
          stream: client % 2 === 0,
          messages: [{ role: "user", content: "a few words" }],
        }),
      });
      await response.text();
      times.push(performance.now() - startedAt);
      if (response.status !== 200) failed++;
      ids.push(response.headers.get("x-vmx-request-id")!);
      await delay(20);
    }
  });
  return {
    failed: () => failed,
    reset(): number[] {
      const taken = times;
      times = [];
      return taken;
    },
    async stop(): Promise<string[]> {
      running = false;
      await Promise.all(clients);
      return ids;
    },
  };
}

function p99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length * 0.99)] ?? 0) * 10) / 10;
}
