import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startProcess, temporaryFolder } from "../command/testing.ts";

const adminToken = "kill-test-admin-token-0123456789-abcdef";
const apiKey = "kill-test-api-key-0123456789-abcdefghij";

/** What became of the requests clients sent while gateways were killed. */
export interface KillReport {
  /** Request ids clients saw. */
  readonly seen: number;
  /** Those whose whole answer they got. */
  readonly answered: number;
  readonly rows: number;
  /** Ids without a row, and rows that are there twice: none of either is right. */
  readonly missing: number;
  readonly doubled: number;
  /** Folders of the dead that were not emptied. */
  readonly orphans: number;
  readonly interrupted: number;
  /** Whole answers whose row says that the process died: it did so before it could note their end. */
  readonly answeredInterrupted: number;
}

/**
 * Starts a gateway, calls it from many clients, kills it in the middle, and so on; then tells whether every id
 * a client saw has exactly one row.
 */
export async function killGateways(
  kills: number,
  database: Readonly<Record<string, string>>,
): Promise<KillReport> {
  const folder = temporaryFolder();
  const settings = {
    DATA_DIR: folder.path,
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
    ...database,
  };
  const seen = new Map<string, boolean>();
  try {
    for (let kill = 0; kill < kills; kill++) {
      const gateway = await startProcess(settings);
      // The first requests wait for plugins to be loaded: the kill is to come under load.
      await call(gateway.ready.baseUrl, true, seen);
      let alive = true;
      const clients = Array.from({ length: 12 }, async (_, client) => {
        while (alive) await call(gateway.ready.baseUrl, client % 2 === 0, seen);
      });
      await delay(100 + Math.random() * 400);
      const ended = gateway.end("SIGKILL");
      await ended;
      alive = false;
      await Promise.all(clients);
    }
    const gateway = await startProcess(settings);
    try {
      return await inspect(new URL(gateway.ready.baseUrl).origin, seen, folder.path);
    } finally {
      await gateway.end();
    }
  } finally {
    folder.remove();
  }
}

async function call(baseUrl: string, stream: boolean, seen: Map<string, boolean>): Promise<void> {
  try {
    const response = await fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({
        model: "demo",
        stream,
        messages: [{ role: "user", content: "one two three four five six seven eight" }],
      }),
    });
    const id = response.headers.get("x-vmx-request-id")!;
    seen.set(id, false);
    await response.text();
    seen.set(id, true);
  } catch {
    // Killed in the middle.
    await delay(5);
  }
}

async function inspect(
  origin: string,
  seen: ReadonlyMap<string, boolean>,
  dataDir: string,
): Promise<KillReport> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const { data: [workspace] } = await fetch(
    `${origin}/api/v1/workspaces?includesEnvironments=true`,
    {
      headers,
    },
  ).then((response) => response.json()) as {
    data: { workspaceId: string; environments: { environmentId: string }[] }[];
  };
  const path = `/api/v1/workspaces/${workspace!.workspaceId}/environments/` +
    workspace!.environments[0]!.environmentId;
  const readRows = async () => {
    const response = await fetch(`${origin}${path}/audit/export?fields=requestId,status`, {
      headers,
    });
    return (await response.text()).trimEnd().split("\n").filter(Boolean)
      .map((line) => JSON.parse(line) as { requestId: string; status: string });
  };
  // Folders of the dead go when everything in them is in the database.
  const spool = join(dataDir, "spool");
  for (let round = 0; round < 300 && readdirSync(spool).length > 1; round++) await delay(200);
  const rows = await readRows();
  const byId = new Map(rows.map(({ requestId, status }) => [requestId, status]));
  const statusOf = (id: string) => byId.get(id)!;
  const answered = [...seen].filter(([, whole]) => whole).map(([id]) => id);
  return {
    seen: seen.size,
    answered: answered.length,
    rows: rows.length,
    missing: [...seen.keys()].filter((id) => !byId.has(id)).length,
    doubled: rows.length - byId.size,
    orphans: readdirSync(spool).length - 1,
    interrupted: rows.filter(({ status }) => status === "interrupted").length,
    answeredInterrupted: answered.filter((id) => statusOf(id) === "interrupted").length,
  };
}
