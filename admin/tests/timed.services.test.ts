import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Console, startConsole } from "./console.ts";
import { makeSender, type Send } from "./traffic.ts";

let console: Console;
let send: Send;
let upstream: Upstream;
const home = "/w/default/default";

beforeAll(async () => {
  console = await startConsole();
  send = await makeSender(console, "timed");
  upstream = await startUpstream();
});

afterAll(async () => {
  await console.stop();
  await upstream.stop();
});

const timeoutMs = 180_000;

/** Says how long a journey took and how many clicks it needed, for whoever reads the output. */
function startClock() {
  const startedAt = performance.now();
  let clicks = 0;
  return {
    /** A click of the mouse, as a person counts it. */
    async click(target: Locator) {
      clicks++;
      await target.click();
    },
    get clicks() {
      return clicks;
    },
    say(what: string) {
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      globalThis.console.log(`${what}: ${clicks} clicks, ${seconds} s`);
    },
  };
}

const byName = async (collection: string, name: string) => {
  const answer = await console.call("GET", `${console.apiPath}/${collection}?name=${name}`);
  return (await answer.json()).data[0];
};

/** The row of a request, as soon as it is stored. */
async function rowOf(response: Response): Promise<{ readonly model: string }> {
  const path = `${console.apiPath}/audit/${response.headers.get("x-vmx-request-id")}`;
  let row: { model: string } | undefined;
  await expect.poll(async () => {
    const answer = await console.call("GET", path);
    if (answer.ok) row = await answer.json() as { model: string };
    return answer.status;
  }, { timeout: 30_000 }).toBe(200);
  return row!;
}

test(
  "a provider is connected and proven with five clicks and a paste, a resource made and called",
  {
    timeout: timeoutMs,
  },
  async () => {
    const visit = await console.open();
    const { page } = visit;
    await visit.go(home);
    const connecting = startClock();
    await connecting.click(page.getByRole("link", { name: "Add connection" }));
    await connecting.click(page.getByRole("link", { name: /^OpenAI-compatible/ }));
    await connecting.click(page.getByLabel("Base URL"));
    await page.keyboard.insertText(upstream.url);
    await page.getByText("It works.").waitFor();
    await page.getByText("models found").waitFor();
    await connecting.click(page.getByRole("button", { name: "Save connection" }));
    await page.getByRole("link", { name: "Create a resource from this connection" }).waitFor();
    connecting.say("Connect a provider and prove it");
    expect(connecting.clicks).toBeLessThanOrEqual(5);

    const calling = startClock();
    await calling.click(page.getByRole("link", { name: "Create a resource from this connection" }));
    // The page before has a name as well.
    await page.getByRole("heading", { name: "New resource" }).waitFor();
    await page.getByLabel("Name", { exact: true }).fill("first");
    await page.getByRole("combobox", { name: "Model" }).fill("mini-1");
    await page.keyboard.press("Tab");
    await calling.click(page.getByRole("button", { name: "Create resource" }));
    await page.getByText("Call it from your application").waitFor();
    await visit.picture("journey-use-it");
    await calling.click(page.getByRole("link", { name: "Open in the playground" }));
    await calling.click(page.getByRole("button", { name: /^Send/ }));
    const answer = page.getByRole("region", { name: "Answer of first" });
    await answer.getByText("Done", { exact: true }).waitFor();
    await answer.getByText("Hello", { exact: true }).waitFor();
    calling.say("Make a resource and call it");
    expect((await send("first")).status).toBe(200);
    expect(visit.faults).toEqual([]);
    await visit.close();
  },
);

test("what the test bench told of an unsaved rule is what happens once it is saved", {
  timeout: timeoutMs,
}, async () => {
  const { connectionId } = await byName("ai-connections", "echo");
  await console.call("POST", `${console.apiPath}/ai-resources`, {
    name: "ruled",
    model: { connectionId, model: "echo" },
  });
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/resources/ruled?tab=routing`);
  const clock = startClock();
  await clock.click(page.getByRole("button", { name: "Add rule" }));
  await page.getByLabel("Description").fill("short ones");
  await page.getByRole("combobox", { name: "Model" }).fill("echo-slow-1ms");
  const asked = performance.now();
  await page.keyboard.press("Tab");
  const bench = page.getByRole("complementary").or(page.getByRole("region", { name: "Test bench" }))
    .first();
  await bench.getByText("Goes to").getByText("echo/echo-slow-1ms").or(
    bench.getByText("Goes to echo/echo-slow-1ms"),
  ).first().waitFor();
  globalThis.console.log(
    `The test bench answered ${(performance.now() - asked).toFixed(0)} ms after the last key`,
  );
  await clock.click(page.getByRole("button", { name: "Long chat" }));
  await bench.getByText("not matched").first().waitFor();
  await clock.click(page.getByRole("button", { name: /^Save/ }));
  await page.getByText("Resource ruled is saved").waitFor();
  clock.say("Add a rule and test it before it is saved");

  const short = await send("ruled");
  await short.text();
  expect((await rowOf(short)).model).toBe("echo-slow-1ms");
  const long = await send("ruled", {
    messages: [{ role: "user", content: "many words ".repeat(400) }],
  });
  await long.text();
  expect((await rowOf(long)).model).toBe("echo");
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("a credential is replaced under load without a failed request", {
  timeout: timeoutMs,
}, async () => {
  const connection = await (await console.call("POST", `${console.apiPath}/ai-connections`, {
    name: "rotated",
    provider: "openai-compatible",
    config: { baseUrl: upstream.url, apiKey: "the-old-key" },
  })).json();
  expect(connection.connectionId, JSON.stringify(connection)).toBeDefined();
  await console.call("POST", `${console.apiPath}/ai-resources`, {
    name: "loaded",
    model: { connectionId: connection.connectionId, model: "mini-1" },
  });
  let running = true;
  let sent = 0;
  const failed: number[] = [];
  const load = Array.from({ length: 4 }, async () => {
    while (running) {
      const response = await send("loaded");
      await response.text();
      sent++;
      if (response.status !== 200) failed.push(response.status);
    }
  });
  const visit = await console.open();
  const { page } = visit;
  try {
    await expect.poll(() => upstream.seen("the-old-key"), { timeout: 30_000 }).toBeGreaterThan(0);
    await visit.go(`${home}/connections/rotated?tab=provider`);
    const clock = startClock();
    await clock.click(page.getByRole("button", { name: "Replace API key" }));
    await page.keyboard.insertText("the-new-key");
    await clock.click(page.getByRole("button", { name: "Test what is entered" }));
    await page.getByText("It works.").waitFor();
    await clock.click(page.getByRole("button", { name: /^Save/ }));
    await page.getByText("Connection rotated is saved").waitFor();
    clock.say("Replace a credential");
    const before = upstream.seen("the-new-key");
    await expect.poll(() => upstream.seen("the-new-key"), { timeout: 30_000 })
      .toBeGreaterThan(before + 20);
  } finally {
    running = false;
    await Promise.all(load);
  }
  globalThis.console.log(`${sent} requests meanwhile, ${failed.length} failed`);
  expect(failed).toEqual([]);
  expect(await page.content()).not.toContain("the-new-key");
  // What comes now carries the new credential.
  const old = upstream.seen("the-old-key");
  expect((await send("loaded")).status).toBe(200);
  expect(upstream.seen("the-old-key")).toBe(old);
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("an API key is rolled under load without a failed request, and its new value is shown once", {
  timeout: timeoutMs,
}, async () => {
  const created = await (await console.call("POST", `${console.apiPath}/api-keys`, {
    name: "rolled",
  })).json() as { value: string };
  const ask = async (key: string) => {
    const response = await fetch(`${console.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "hi" }] }),
    });
    await response.text();
    return response.status;
  };
  let running = true;
  const statuses: number[] = [];
  const load = Array.from({ length: 2 }, async () => {
    while (running) statuses.push(await ask(created.value));
  });
  const visit = await console.open();
  const { page } = visit;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const dialog = (name: string) => page.getByRole("dialog", { name });
  let rolled = "";
  try {
    await visit.go(`${home}/keys/rolled`);
    const clock = startClock();
    await clock.click(page.getByRole("button", { name: "Roll key" }));
    await dialog("Roll key rolled?").getByLabel("The old value stops working")
      .selectOption({ label: "in an hour" });
    await clock.click(dialog("Roll key rolled?").getByRole("button", { name: "Roll key" }));
    const secret = dialog("The new value");
    await clock.click(secret.getByRole("button", { name: "Copy" }));
    clock.say("Roll an API key and copy its new value");
    expect(clock.clicks).toBeLessThanOrEqual(3);
    rolled = await page.evaluate(() => navigator.clipboard.readText());
    expect(rolled).toMatch(/^vmx_sk_/);
    expect(rolled).not.toBe(created.value);
    expect(await secret.getByLabel("The secret").inputValue()).toBe(rolled);
    expect(await visit.audit()).toEqual([]);
    await visit.picture("journey-key-rolled");
    await secret.getByLabel("I have stored it in a safe place").check();
    await secret.getByRole("button", { name: "Done" }).click();
    await secret.waitFor({ state: "hidden" });
    await page.getByText(/^The old value/).first().waitFor();
    expect(await page.content()).not.toContain(rolled);
    const before = statuses.length;
    await expect.poll(() => statuses.length, { timeout: 30_000 }).toBeGreaterThan(before + 20);
  } finally {
    running = false;
    await Promise.all(load);
  }
  globalThis.console.log(`${statuses.length} requests with the old value meanwhile`);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(await ask(rolled)).toBe(200);
  await visit.go(`${home}/keys/rolled`);
  expect(await page.content()).not.toContain(rolled);

  // Without grace the value before ends at once.
  await page.getByRole("button", { name: "Roll key" }).click();
  await dialog("Roll key rolled?").getByRole("button", { name: "Roll key" }).click();
  await dialog("The new value").getByLabel("The secret").waitFor();
  await expect.poll(() => ask(rolled), { timeout: 30_000 }).toBe(401);
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("who watches the pools is told why a share moved", { timeout: timeoutMs }, async () => {
  const shared = await (await console.call("POST", `${console.apiPath}/ai-connections`, {
    name: "shared",
    provider: "echo",
    config: {},
    capacity: [{ period: "minute", tokens: 100_000, enabled: true }],
  })).json();
  const resource = await (await console.call("POST", `${console.apiPath}/ai-resources`, {
    name: "busy",
    model: { connectionId: shared.connectionId, model: "echo-tokens-500" },
  })).json();
  await console.call("PUT", `${console.apiPath}/pool-definition`, {
    definition: [{
      name: "eager",
      rank: 0,
      resources: [resource.resourceId],
      minReservation: 1,
      maxReservation: 90,
    }],
  });
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/prioritization?connection=shared`);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  // Traffic that comes at once, so that the share may have grown before the first point of its history, and lasts: a
  // chart takes several moments.
  const moved = page.getByRole("region", { name: "What moved" }).getByText(/^eager grew .*now/);
  await Promise.all(Array.from({ length: 60 }, async () => await (await send("busy")).text()));
  const until = Date.now() + 60_000;
  while (await moved.count() === 0 && Date.now() < until) await (await send("busy")).text();
  await moved.first().waitFor();
  const table = page.getByRole("region", { name: "Pools now" });
  await table.getByText(/^At \d\d:\d\d:\d\d it grew .* its share/).waitFor();
  await page.getByRole("region", { name: "Share of the connection's minute" }).locator("canvas")
    .waitFor();
  expect(await visit.audit()).toEqual([]);
  await visit.picture("journey-allocation");
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("usage is a chart by key and a file with four clicks at most", {
  timeout: timeoutMs,
}, async () => {
  const { connectionId } = await byName("ai-connections", "echo");
  await console.call("POST", `${console.apiPath}/ai-resources`, {
    name: "measured",
    model: { connectionId, model: "echo" },
  });
  const response = await send("measured");
  await response.text();
  await rowOf(response);
  const visit = await console.open();
  const { page } = visit;
  await visit.go(home);
  const clock = startClock();
  await clock.click(page.getByRole("navigation").getByRole("link", { name: "Usage", exact: true }));
  await page.getByLabel("Group by").selectOption("apiKeyId");
  const chart = page.locator("canvas").first();
  const shownAt = performance.now();
  await chart.waitFor();
  await page.getByRole("region", { name: "Requests by group" }).getByText("timed").waitFor();
  globalThis.console.log(
    `The chart stood ${(performance.now() - shownAt).toFixed(0)} ms after the choice`,
  );
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    clock.click(page.getByRole("button", { name: "CSV" })),
  ]);
  expect(download.suggestedFilename()).toMatch(/^usage-requests-.*\.csv$/);
  clock.say("Usage by key, and as a file");
  expect(clock.clicks).toBeLessThanOrEqual(4);
  expect(visit.faults).toEqual([]);
  await visit.close();
});

interface Upstream {
  readonly url: string;
  /** How many requests carried a credential. */
  seen(credential: string): number;
  stop(): Promise<void>;
}

/** A service that speaks just enough Chat Completions to be connected, and knows every credential. */
async function startUpstream(): Promise<Upstream> {
  const seen = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const credential = request.headers.authorization?.replace("Bearer ", "") ?? "";
    seen.set(credential, (seen.get(credential) ?? 0) + 1);
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => body += part).on("end", () => {
      const asked = body ? JSON.parse(body) as { stream?: boolean } : {};
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      if (request.url?.endsWith("/models")) {
        response.setHeader("content-type", "application/json");
        return response.end(
          JSON.stringify({ object: "list", data: [{ id: "mini-1", object: "model" }] }),
        );
      }
      const head = { id: "1", created: 1, model: "mini-1" };
      const message = { role: "assistant", content: "Hello" };
      if (!asked.stream) {
        response.setHeader("content-type", "application/json");
        return response.end(JSON.stringify({
          ...head,
          object: "chat.completion",
          choices: [{ index: 0, message, finish_reason: "stop" }],
          usage,
        }));
      }
      response.setHeader("content-type", "text/event-stream");
      const chunk = { ...head, object: "chat.completion.chunk" };
      const frames = [
        { ...chunk, choices: [{ index: 0, delta: message, finish_reason: null }] },
        { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
        { ...chunk, choices: [], usage },
      ];
      for (const frame of frames) response.write(`data: ${JSON.stringify(frame)}\n\n`);
      response.end("data: [DONE]\n\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen: (credential) => seen.get(credential) ?? 0,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
