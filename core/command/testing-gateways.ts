import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type GatewayProcess, startProcess } from "./testing.ts";

/** Gateways of one installation on one shared store, as their callers and operators use them. */
export interface TestGateways {
  readonly all: readonly GatewayProcess[];
  /** Path of the first environment below the management API. */
  readonly environment: string;
  /** Calls the management API of the first gateway; rejects when it does not answer 2xx. */
  manage(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Asks a model of gateway `at`. */
  ask(model: string, options?: AskOptions): Promise<Response>;
  end(): Promise<void>;
}

/** See `TestGateways.ask`. */
export interface AskOptions {
  /** Index of the gateway. */
  readonly at?: number;
  readonly content?: string;
  readonly stream?: boolean;
}

// deno-lint-ignore no-explicit-any -- answers are looked into freely
export type Answer = any;

const adminToken = "an-admin-token-for-several-processes";
const apiKey = "an-api-key-for-several-processes-0123";

/** Starts one gateway for each data folder; `settings` name the store they share, if they share one. */
export async function startGateways(
  dataDirs: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<TestGateways> {
  const encryptionKey = randomBytes(32).toString("base64");
  const all = await Promise.all(dataDirs.map((path) =>
    startProcess({
      // Two cores are busy with all these processes: the deadline is not what is tested.
      VMX_CAPACITY_TIMEOUT_MS: "2000",
      VMX_ADMIN_TOKEN: adminToken,
      VMX_BOOTSTRAP_API_KEY: apiKey,
      VMX_ENCRYPTION_KEY: encryptionKey,
      DATA_DIR: path,
      ...settings,
    })
  ));
  const manage = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(all[0]!.ready.baseUrl.replace(/\/v1$/, "/api/v1") + path, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const { data: [workspace] } = await manage("GET", "/workspaces?includesEnvironments=true");
  const { workspaceId, environments: [{ environmentId }] } = workspace;
  return {
    all,
    environment: `/workspaces/${workspaceId}/environments/${environmentId}`,
    manage,
    ask: (model, { at = 0, content = "hi", stream = false } = {}) =>
      fetch(`${all[at]!.ready.baseUrl}/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}` },
        body: JSON.stringify({
          model,
          stream,
          max_tokens: 50,
          messages: [{ role: "user", content }],
        }),
      }),
    async end() {
      await Promise.all(all.map((gateway) => gateway.end()));
    },
  };
}

/** Process ids of the workers of a gateway. */
export function workersOf({ child: { pid } }: GatewayProcess): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")
    .map(Number)
    .filter((one) => commandOf(one).includes("main.ts"));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    // It has just ended.
    return "";
  }
}

/** Waits for the next minute unless `ms` milliseconds of the present one are left. */
export async function leaveRoom(ms: number): Promise<void> {
  const leftMs = 60_000 - Date.now() % 60_000;
  if (leftMs < ms) await delay(leftMs + 50);
}
