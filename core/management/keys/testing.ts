import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "../../command/testing.ts";
import { loadConfig } from "../../config.ts";
import { installationRoot } from "../../host/discover.ts";
import { createKernel, type Kernel } from "../../kernel.ts";

/** Bearer token of the administrator. */
export const keysAdminToken = "an-admin-token-for-keys-0123456789";

/** A gateway that is started again and again on one data folder, and a service it calls. */
export interface KeysWorld {
  readonly folder: string;
  /** Credentials the service takes. */
  readonly accepted: Set<string>;
  readonly upstreamUrl: string;
  /** Stops the gateway that runs and starts one with these variables. */
  restart(variables: Readonly<Record<string, string>>): Promise<Kernel>;
  /** Calls the management API of the gateway that runs. */
  api(method: string, path: string, body?: unknown): Promise<{
    readonly status: number;
    // deno-lint-ignore no-explicit-any
    readonly body: any;
  }>;
  /** Asks a resource; answers the status. */
  ask(model: string): Promise<number>;
  stop(): Promise<void>;
}

/** Calls the management API of a gateway as the administrator. */
export async function callApi(url: string, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${keysAdminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** Starts the service; the gateway starts with the first `restart`. */
export async function createKeysWorld(): Promise<KeysWorld> {
  const folder = temporaryFolder();
  const accepted = new Set<string>();
  const upstream = createServer((request, response) => {
    const isKnown = accepted.has(request.headers.authorization?.replace("Bearer ", "") ?? "");
    response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(
      isKnown
        ? {
          id: "one",
          object: "chat.completion",
          created: 1,
          model: "m",
          choices: [{
            index: 0,
            finish_reason: "stop",
            message: { role: "assistant", content: "hi" },
          }],
          usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
        }
        : { error: { message: "wrong key" } },
    ));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const apiKey = "an-api-key-for-keys-0123456789-0123456";
  let kernel: Kernel | undefined;
  return {
    folder: folder.path,
    accepted,
    upstreamUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`,
    async restart(variables) {
      await kernel?.stop();
      kernel = undefined;
      const environment = {
        DATA_DIR: folder.path,
        PORT: "0",
        LOG_LEVEL: "error",
        VMX_ADMIN_TOKEN: keysAdminToken,
        VMX_BOOTSTRAP_API_KEY: apiKey,
        ...variables,
      };
      return kernel = await createKernel(loadConfig(environment, installationRoot()), environment);
    },
    api: (method, path, body) => callApi(kernel!.url, method, path, body),
    async ask(model) {
      const answer = await fetch(`${kernel!.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
      });
      await answer.text();
      return answer.status;
    },
    async stop() {
      await kernel?.stop();
      upstream.closeAllConnections();
      upstream.close();
      folder.remove();
    },
  };
}

/**
 * Makes connections with a secret each and a resource on the first. Answers the environment's path and their
 * ids.
 */
export async function createConnections(
  world: Pick<KeysWorld, "api" | "upstreamUrl">,
  count: number,
  apiKey: string,
) {
  const { data } = (await world.api("GET", "/workspaces?includesEnvironments=true")).body;
  const { workspaceId } = data[0];
  const environments = (await world.api("GET", `/workspaces/${workspaceId}/environments`)).body;
  const path = `/workspaces/${workspaceId}/environments/${environments.data[0].environmentId}`;
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const made = await world.api("POST", `${path}/ai-connections`, {
      name: `service-${index}`,
      provider: "openai-compatible",
      config: { baseUrl: world.upstreamUrl, apiKey },
    });
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    ids.push(made.body.connectionId);
  }
  await world.api("POST", `${path}/ai-resources`, {
    name: "chat",
    model: { connectionName: "service-0", model: "m" },
  });
  return { path, ids };
}

/**
 * Re-encrypts everything and gives a connection a new credential again and again, while 20 requests a second
 * are asked: none waits for the answer to another. Each old credential is revoked as soon as the requests that
 * were running when it was replaced have ended. Answers the statuses of all requests, at least `requests`.
 */
export async function rotateUnderLoad(
  world: KeysWorld,
  connectionPath: string,
  { keyVersion, requests }: { readonly keyVersion: number; readonly requests: number },
): Promise<{ readonly statuses: readonly number[]; readonly rotations: number }> {
  const running = new Set<Promise<unknown>>();
  const statuses: number[] = [];
  const asking = setInterval(() => {
    const one = world.ask("chat").catch(() => 0)
      .then((status) => void statuses.push(status))
      .finally(() => running.delete(one));
    running.add(one);
  }, 50);
  let rotations = 0;
  try {
    const started = await world.api("POST", "/system/re-encrypt", { toKeyVersion: keyVersion });
    if (started.status !== 202) throw new Error(JSON.stringify(started.body));
    while (statuses.length < requests) {
      const credential = `credential-${rotations++}`;
      world.accepted.add(credential);
      const patched = await world.api("PATCH", connectionPath, { config: { apiKey: credential } });
      if (patched.status !== 200) throw new Error(JSON.stringify(patched.body));
      await Promise.all(running);
      for (const known of world.accepted) if (known !== credential) world.accepted.delete(known);
      await delay(200);
    }
  } finally {
    clearInterval(asking);
    await Promise.all(running);
  }
  return { statuses, rotations };
}

/** Waits until re-encryption has ended. */
export async function reEncrypted(world: Pick<KeysWorld, "api">) {
  for (let attempt = 0; attempt < 600; attempt++) {
    const { body } = await world.api("GET", "/system/re-encrypt");
    if (body.state !== "running") return body;
    await delay(100);
  }
  throw new Error("Re-encryption does not end");
}
