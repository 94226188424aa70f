import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { Clock, Log } from "../contract/index.ts";
import { defaultContributions } from "../default-plugins.ts";
import { createPluginHost } from "../host/create-plugin-host.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { requireContribution, requireShared, selectContribution } from "../host/select.ts";
import { createEgressGuard } from "../kit/egress.ts";
import { createHttpClient } from "../kit/http.ts";
import type { Environment } from "../setting-reader.ts";
import { unknownVariables } from "../unknown-variables.ts";
import { version } from "../version.ts";

/** What a check found. */
export interface Finding {
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
}

/** Longest wait for a part that does not answer. */
const patienceMs = 5_000;

/**
 * Checks what a start would need beside its settings: plugins, encryption, the database, what processes share. Nothing
 * is made or changed.
 */
export async function checkParts(
  config: Config,
  environment: Environment,
): Promise<readonly (readonly [check: string, finding: Finding])[]> {
  const empty = await mkdtemp(join(tmpdir(), "vmx-doctor-"));
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const guard = createEgressGuard(config.egress);
  const http = createHttpClient({ ...config.upstream, guard, clock });
  const shutdown = new AbortController();
  let host: PluginHost | undefined;
  try {
    const hasKeyFile = existsSync(join(config.dataDir, "encryption.key"));
    const made = host = await createPluginHost({
      root: config.root,
      coreVersion: version,
      environment,
      folders: config.pluginFolders,
      log: silent,
      fetch: http.fetch,
      http,
      clock,
      // A key that is not there yet is made by the start, not by a look at it.
      dataDir: hasKeyFile ? config.dataDir : empty,
      signal: shutdown.signal,
    });
    return [
      ["variables", checkVariables(config, made, environment)],
      ["plugins", checkPlugins(made)],
      ["encryption", await found(checkEncryption(config, made, environment))],
      ["database", await found(checkDatabase(config))],
      ["shared state", await found(checkShared(config, made, environment))],
    ];
  } catch (error) {
    return [["plugins", failed(error)]];
  } finally {
    shutdown.abort();
    await host?.dispose();
    await http.close();
    await rm(empty, { recursive: true, force: true });
  }
}

function checkVariables(config: Config, host: PluginHost, environment: Environment): Finding {
  const unknown = unknownVariables(environment, [...config.variables, ...host.variables()]);
  return unknown.length === 0
    ? { state: "ok", detail: "every name is known" }
    : { state: "warning", detail: unknown.join("; ") };
}

function checkPlugins(host: PluginHost): Finding {
  const plugins = host.plugins();
  const broken = plugins.flatMap(({ outcome }) => outcome.state === "failed" ? outcome.error : []);
  return broken.length === 0
    ? { state: "ok", detail: `${plugins.length} found` }
    : { state: "warning", detail: broken.join("; ") };
}

async function checkEncryption(
  { encryption }: Config,
  host: PluginHost,
  environment: Environment,
): Promise<string> {
  const id = selectContribution(host, "encryptions", environment, {
    named: encryption,
    otherwise: defaultContributions.encryptions,
  });
  await requireContribution(host, "encryptions", id);
  return `${id} works`;
}

async function checkDatabase({ database: { url, readUrl, schema } }: Config): Promise<string> {
  if (!url) return "a server of its own, in the data folder";
  const { openDatabase } = await import("../store/database.ts");
  const { refusedByDatabase } = await import("../store/refused-start.ts");
  const database = openDatabase({
    url: url.reveal(),
    readUrl: readUrl?.reveal(),
    schema,
    poolMax: 1,
  }, silent);
  try {
    return `answers in ${Math.ceil(await database.ping())} ms`;
  } catch (error) {
    throw refusedByDatabase(error, { url, schema }) ?? error;
  } finally {
    await database.close(1_000);
  }
}

async function checkShared(
  config: Config,
  host: PluginHost,
  environment: Environment,
): Promise<string> {
  const choose = (point: "sharedStates" | "capacityStores") =>
    selectContribution(host, point, environment, { otherwise: defaultContributions[point] });
  const chosen = { sharedStates: choose("sharedStates"), capacityStores: choose("capacityStores") };
  if (config.processes > 1) await requireShared(host, chosen, config.processes);
  const id = chosen.sharedStates;
  const state = await host.get("sharedStates", id);
  if (!state.shared) return "in memory, for one process";
  await state.processes().catch((error: Error) => {
    const variables = host.find("sharedStates", id)?.entry["selectedBy"] ?? [];
    throw new Error(`${id} does not answer (${error.message}); see ${String(variables)}`);
  });
  return `${id} answers`;
}

async function found(checked: Promise<string>): Promise<Finding> {
  const late = new AbortController();
  const tooLate = delay(patienceMs, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error(`no answer within ${patienceMs / 1_000} s`)),
    () => "",
  );
  try {
    return { state: "ok", detail: await Promise.race([checked, tooLate]) };
  } catch (error) {
    return failed(error);
  } finally {
    late.abort();
  }
}

function failed(error: unknown): Finding {
  return { state: "failed", detail: error instanceof Error ? error.message : String(error) };
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
