import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "../command/testing.ts";

/* A provider that repeats the credential it was called with, after that credential was replaced. */

const adminToken = "an-admin-token-for-rotated-credentials";
const apiKey = "an-api-key-for-rotated-credentials-0123";
const [former, present] = ["former-credential/of+one", "present-credential/of+one"];
const folder = temporaryFolder();
let gateway: GatewayProcess;
let environment: string;
/** Called with what ends an answer that has begun. */
let endAnswer: (() => void) | undefined;

const provider = createServer((request, response) => {
  const key = request.headers.authorization!.slice("Bearer ".length);
  request.resume().on("end", () => {
    const chunk = (content: string) => {
      const choices = [{ index: 0, delta: { content }, finish_reason: null }];
      response.write(`data: ${JSON.stringify({ id: "1", model: "m", choices })}\n\n`);
    };
    response.writeHead(200, { "content-type": "text/event-stream" });
    chunk("it begins");
    endAnswer = () => {
      chunk(` the key is ${key} `);
      const error = { message: `${key} is wrong`, type: "failure", code: key, param: key };
      response.end(`data: ${JSON.stringify({ error })}\n\n`);
    };
  });
});

beforeAll(async () => {
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  gateway = await startProcess({
    DATA_DIR: folder.path,
    LOG_LEVEL: "trace",
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
  });
  const { data: [workspace] } = await manage("GET", "/workspaces?includesEnvironments=true");
  const [{ environmentId }] = workspace.environments;
  environment = `/workspaces/${workspace.workspaceId}/environments/${environmentId}`;
});
afterAll(async () => {
  provider.close();
  await gateway?.end();
  folder.remove();
});

// deno-lint-ignore no-explicit-any -- answers are looked into freely
async function manage(method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${gateway.ready.baseUrl.replace(/\/v1$/, "/api/v1")}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return !response.ok ? undefined : await response.json();
}

test(
  "an answer under way with the former credential tells it to no record, log or error",
  async () => {
    const { port } = provider.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}/v1`;
    const connection = await manage("POST", `${environment}/ai-connections`, {
      name: "rotated",
      provider: "openai-compatible",
      config: { baseUrl, apiKey: former },
    });
    const response = await fetch(`${gateway.ready.baseUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({
        model: "rotated/any",
        stream: true,
        messages: [{ role: "user", content: "hi" }],
      }),
    });
    expect(response.status).toBe(200);
    const path = `${environment}/ai-connections/${connection.connectionId}`;
    await manage("PATCH", path, { config: { apiKey: present } });
    // Twice, so that the former one is not even the one before.
    await manage("PATCH", path, { config: { apiKey: `${present}-again` } });
    endAnswer!();
    const answer = await response.text();
    // What a model writes reaches its caller as it is; what the gateway says of the failure does not tell.
    const told = answer.split("\n\n").filter((frame) => frame.includes("is wrong")).join();
    expect(told).toContain("[redacted] is wrong");
    expect(told).not.toContain(former);

    const requestId = response.headers.get("x-vmx-request-id")!;
    const row = () => manage("GET", `${environment}/audit/${requestId}`);
    await expect.poll(async () => (await row())?.requestId, { timeout: 30_000 }).toBe(requestId);
    const stored = JSON.stringify(await row());
    expect(stored).toContain("it begins");
    expect(stored).toContain("the key is [redacted]");
    for (const text of [stored, gateway.output()]) {
      expect(text).not.toContain(former);
      expect(text).not.toContain("former-credential");
    }
  },
  120_000,
);
