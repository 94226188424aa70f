import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Vmx, type VmxError } from "@vmx/sdk";
import { afterEach, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "./testing.ts";

const adminToken = "an-admin-token-for-the-drain-0123456789";
const apiKey = "an-api-key-for-the-drain-0123456789012";
const folder = temporaryFolder();
const patience = { timeout: 60_000, interval: 50 };
let gateway: GatewayProcess | undefined;

afterEach(async () => {
  await gateway?.end("SIGKILL");
});

async function start(drainSeconds: number): Promise<GatewayProcess> {
  gateway = await startProcess({
    DATA_DIR: folder.path,
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
    VMX_DRAIN_SECONDS: String(drainSeconds),
  });
  return gateway;
}

const bodyFor = (model: string) =>
  JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hi" }] });
const origin = () => new URL(gateway!.ready.baseUrl).origin;

/** Begins a stream; answers its id and a reader that stands behind the first content. */
async function beginStream(model: string) {
  const response = await fetch(`${gateway!.ready.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: bodyFor(model),
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  return {
    requestId: response.headers.get("x-vmx-request-id")!,
    async rest(): Promise<string> {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        text += next.value;
      }
      return text;
    },
  };
}

test(
  "who follows events is sent away and does not hold the gateway up by coming back",
  async () => {
    // Longer than the test may take: only a gateway that need not wait ends in time.
    const { end } = await start(600);
    const vmx = new Vmx({ baseUrl: origin(), token: adminToken });
    const stop = new AbortController();
    const states: (string | undefined)[] = [];
    let isOpen = () => {};
    const opened = new Promise<void>((resolve) => isOpen = resolve);
    const followed = (async () => {
      const onState = (state: string, error?: VmxError) => {
        states.push(error?.code ?? state);
        isOpen();
      };
      for await (const _ of vmx.audit.stream({}, { signal: stop.signal, onState })) break;
    })();
    await opened;
    expect(await end()).toBe(0);
    stop.abort();
    await followed;
    expect(states.slice(0, 2)).toEqual(["live", "reconnecting"]);
  },
  60_000,
);

const readiness = () => fetch(`${origin()}/readyz`).then(({ status }) => status, () => "closed");

test("a request on a connection that is kept gets 503 and the connection's end while others finish", async () => {
  const { end } = await start(30);
  const { hostname, port } = new URL(origin());
  const socket = connect(Number(port), hostname);
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => received += text);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const send = (model: string) => {
    const body = bodyFor(model);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${apiKey}\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
  };
  send("echo/echo-tokens-80-pace-100ms");
  await expect.poll(() => received, patience).toContain("data: ");
  const ended = end();
  await expect.poll(readiness, patience).toBe(503);
  await expect.poll(readiness, patience).toBe("closed");
  send("demo");
  await closed;
  const [first, second] = received.split(/(?=HTTP\/1\.1 )/);
  expect(first).toMatch(/^HTTP\/1\.1 200 /);
  expect(first).toContain("data: [DONE]");
  expect(second).toMatch(/^HTTP\/1\.1 503 /);
  expect(second).toMatch(/\r\nconnection: close\r\n/i);
  expect(second).toContain('"shutting_down"');
  expect(await ended).toBe(0);
});

test("a stream that outlasts the drain ends with an error frame and leaves its row with what was delivered", async () => {
  const { end } = await start(1);
  const stream = await beginStream("echo/echo-tokens-600-pace-100ms");
  const ended = end();
  const text = await stream.rest();
  expect(text).toContain('"shutting_down"');
  expect(text).not.toContain("[DONE]");
  expect(await ended).toBe(0);

  await start(1);
  const read = async (path: string) => {
    const response = await fetch(`${origin()}/api/v1${path}`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    return await response.json();
  };
  const { data: [workspace] } = await read("/workspaces?includesEnvironments=true");
  const { environmentId } = workspace.environments[0];
  const row = () =>
    read(
      `/workspaces/${workspace.workspaceId}/environments/${environmentId}/audit/${stream.requestId}`,
    );
  await expect.poll(row, patience).toMatchObject({
    status: "partial",
    errorCode: "shutting_down",
    tokens: { completionTokens: expect.any(Number) },
  });
  expect((await row()).tokens.completionTokens).toBeGreaterThan(0);
});

test("a second signal ends the process at once", async () => {
  const { end } = await start(60);
  const stream = await beginStream("echo/echo-tokens-600-pace-100ms");
  void end();
  await expect.poll(readiness, patience).toBe(503);
  const startedAt = performance.now();
  expect(await Promise.race([end(), delay(30_000, "still running")])).toBe(1);
  // Far from what the drain would have taken.
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  await stream.rest().catch(() => {});
});
