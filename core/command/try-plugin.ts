import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, Log } from "../contract/index.ts";
import { createPluginHost } from "../host/create-plugin-host.ts";
import { discover, type FoundPackage } from "../host/discover.ts";
import { createManifestReader } from "../host/manifest.ts";
import { createEgressGuard } from "../kit/egress.ts";
import { createHttpClient } from "../kit/http.ts";
import { version } from "../version.ts";

/** How a plugin took being read and activated: what is wrong, or undefined. */
export interface Trial {
  readonly manifest?: string | undefined;
  readonly activation?: string | undefined;
}

/** Reads the manifest of the plugin in a folder and activates everything it contributes, in a host of its own. */
export async function activateOne(folder: string): Promise<Trial> {
  const dataDir = await mkdtemp(join(tmpdir(), "vmx-plugin-"));
  try {
    // An empty installation: the only plugin is this one.
    const found = (await discover(dataDir, [folder])).find(isAt(await realpath(folder)));
    if (!found) return { manifest: "the folder has no package.json with engines.vmx" };
    const plugin = await createManifestReader(version)(found).catch((error: Error) => error);
    if (plugin instanceof Error) return { manifest: plugin.message };
    return { activation: await activate(folder, dataDir, plugin.id) };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function activate(
  folder: string,
  dataDir: string,
  id: string,
): Promise<string | undefined> {
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const http = createHttpClient({
    connectTimeoutMs: 10_000,
    idleTimeoutMs: 30_000,
    guard: createEgressGuard({ privateRanges: "allow", allow: [] }),
    clock,
  });
  const shutdown = new AbortController();
  const host = await createPluginHost({
    root: dataDir,
    coreVersion: version,
    environment: {},
    folders: [folder],
    log: silent,
    fetch: http.fetch,
    http,
    clock,
    dataDir,
    signal: shutdown.signal,
  });
  try {
    const status = host.plugins().find((each) => each.id === id);
    for (const contribution of status?.contributes ?? []) {
      await host.get(contribution.point, contribution.id);
    }
    return undefined;
  } catch (error) {
    const { cause } = error as { readonly cause?: unknown };
    const reason = cause instanceof Error ? cause : error;
    return reason instanceof Error ? reason.message : String(reason);
  } finally {
    shutdown.abort();
    await host.dispose();
    await http.close();
  }
}

function isAt(folder: string): (found: FoundPackage) => boolean {
  return (found) => found.folder === folder;
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
