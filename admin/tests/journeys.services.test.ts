import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostileSchemas } from "../src/lib/schema-form/hostile-schemas.ts";
import { type Console, startConsole, type Visit } from "./console.ts";

let console: Console;
const home = "/w/default/default";

beforeAll(async () => {
  console = await startConsole();
});

afterAll(() => console.stop());

/** Presses Tab until what has the focus is found, as somebody without a mouse does. */
async function tabTo(visit: Visit, name: string | RegExp, most = 60): Promise<void> {
  const names: string[] = [];
  for (let pressed = 0; pressed < most; pressed++) {
    await visit.page.keyboard.press("Tab");
    const here = await visit.page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      const label = element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent ??
        element?.textContent;
      return label?.trim().replace(/\s+/g, " ") ?? "";
    });
    names.push(here);
    if (typeof name === "string" ? here === name : name.test(here)) return;
  }
  throw new Error(`Tab never reached ${name}: ${names.join(" | ")}`);
}

test("a provider is connected and proven, a resource made and called, by keyboard alone", {
  timeout: 180_000,
}, async () => {
  const upstream = await startUpstream();
  const visit = await console.open();
  const { page } = visit;
  const { keyboard } = page;
  await visit.go(home);
  // The connection.
  await keyboard.press("g");
  await keyboard.press("c");
  await page.waitForURL(/\/connections$/);
  await page.getByRole("link", { name: "Add connection" }).first().waitFor();
  await keyboard.press("n");
  await page.waitForURL(/\/connections\/new$/);
  await page.getByRole("link", { name: /OpenAI-compatible/ }).waitFor();
  await tabTo(visit, /^OpenAI-compatible/);
  await keyboard.press("Enter");
  await page.getByLabel("Base URL").waitFor();
  await tabTo(visit, "Base URL");
  await keyboard.type(upstream.url);
  await tabTo(visit, /^API key/);
  expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).type)).toBe(
    "password",
  );
  await keyboard.type("a-secret-nobody-sees");
  await page.getByText("It works.").waitFor();
  await visit.picture("journey-connection-tested");
  await tabTo(visit, "Save connection");
  await keyboard.press("Enter");
  await page.waitForURL(/\/connections\/openai-compatible/);
  expect(await page.content()).not.toContain("a-secret-nobody-sees");
  // The resource.
  await page.getByRole("link", { name: "Create a resource from this connection" }).waitFor();
  await tabTo(visit, "Create a resource from this connection");
  await keyboard.press("Enter");
  await page.waitForURL(/\/resources\/new/);
  await page.getByRole("heading", { name: "New resource" }).waitFor();
  await tabTo(visit, "Name");
  await keyboard.type("keyboard");
  await tabTo(visit, "Model");
  await keyboard.type("mini-1");
  await keyboard.press("Tab");
  await tabTo(visit, "Create resource");
  await keyboard.press("Enter");
  await visit.picture("journey-resource");
  await page.waitForURL(/\/resources\/keyboard/);
  await page.getByText("Call it from your application").waitFor();
  expect(visit.faults).toEqual([]);
  await visit.close();
  await upstream.stop();
});

test(
  "a rule is tried before it is saved, and then decides as it was told",
  { timeout: 180_000 },
  async () => {
    const visit = await console.open();
    const { page } = visit;
    await visit.go(`${home}/resources/demo?tab=routing`);
    await page.getByText("Every request goes to the primary").waitFor();
    await page.keyboard.press("n");
    await tabTo(visit, "Description", 90);
    await page.keyboard.type("short ones");
    await page.getByText("Matches the sample").waitFor();
    await page.getByText("Goes to").waitFor();
    await page.getByRole("button", { name: "Long chat" }).press("Enter");
    await page.getByText("not matched").first().waitFor();
    await visit.picture("journey-rule-tested");
    await page.keyboard.press("Control+s");
    await page.getByText("Resource demo is saved").waitFor();
    const stored = await (await console.call("GET", `${console.apiPath}/ai-resources?name=demo`))
      .json();
    expect(stored.data[0].routing.conditions).toMatchObject([{
      description: "short ones",
      mode: "UI",
    }]);
    expect(visit.faults).toEqual([]);
    await visit.close();
  },
);

test(
  "fallbacks are put in order with buttons and with Alt and an arrow",
  { timeout: 120_000 },
  async () => {
    const visit = await console.open();
    const { page } = visit;
    await visit.go(`${home}/resources/demo?tab=fallback`);
    for (const model of ["first", "second"]) {
      await page.getByRole("button", { name: "Add fallback" }).press("Enter");
      const last = page.getByRole("combobox", { name: "Connection" }).last();
      await last.fill("echo");
      await last.press("Enter");
      const field = page.getByRole("combobox", { name: "Model" }).last();
      await field.fill(`echo-${model}`);
      await field.press("Tab");
    }
    await page.getByRole("button", { name: "Move echo/echo-second up" }).press("Enter");
    const order = () =>
      page.getByRole("combobox", { name: "Model" }).evaluateAll((all) =>
        all.map((each) => (each as HTMLInputElement).value)
      );
    expect(await order()).toEqual(["echo-second", "echo-first"]);
    await page.getByRole("button", { name: /^Move echo\/echo-second: drag/ }).press(
      "Alt+ArrowDown",
    );
    expect(await order()).toEqual(["echo-first", "echo-second"]);
    await visit.close();
  },
);

test("what is typed on one tab is still there after a look at another, and nothing is read again", {
  timeout: 120_000,
}, async () => {
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/resources/demo`);
  await page.getByLabel(/^Description/).fill("not saved yet");
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/ai-resources/demo")) asked.push(request.url());
  });
  const tabs = page.getByRole("navigation", { name: "Parts of the resource" });
  await tabs.getByRole("link", { name: "Access" }).click();
  await page.getByText("No key assigned").waitFor();
  await tabs.getByRole("link", { name: "General" }).click();
  expect(await page.getByLabel(/^Description/).inputValue()).toBe("not saved yet");
  await page.getByText("Unsaved changes").waitFor();
  expect(asked).toEqual([]);
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test(
  "a resource is tried with what is not saved yet, and the sample of the test bench is sent for real",
  {
    timeout: 120_000,
  },
  async () => {
    const { data: [echo] } =
      await (await console.call("GET", `${console.apiPath}/ai-connections?name=echo`)).json();
    await console.call("POST", `${console.apiPath}/ai-resources`, {
      name: "tried",
      model: { connectionId: echo.connectionId, model: "echo" },
    });
    const visit = await console.open();
    const { page } = visit;
    await visit.go(`${home}/resources/tried`);
    await page.getByRole("combobox", { name: "Model" }).fill("echo-tokens-3");
    await page.keyboard.press("Tab");
    await page.getByText("Calls the resource as it is saved").waitFor({ state: "detached" });
    await page.getByText("Your unsaved changes go along with the request").click();
    const answer = page.getByRole("region", { name: "Answer of tried" });
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await answer.getByText("Served by echo/echo-tokens-3").waitFor();
    await answer.getByText("Done", { exact: true }).waitFor();
    expect(await visit.audit()).toEqual([]);
    await visit.picture("journey-resource-tried");
    // A look at another tab keeps the change, and the bench sends its own sample.
    await page.getByRole("link", { name: "Routing" }).click();
    await page.getByText("Goes to echo/echo-tokens-3").waitFor();
    await page.getByRole("button", { name: "With tools" }).click();
    await page.getByRole("button", { name: "Send for real" }).click();
    await answer.getByText("Done", { exact: true }).waitFor();
    await answer.getByText("Headers, request and curl").click();
    await answer.getByText('"tools"').first().waitFor();
    expect(visit.faults).toEqual([]);
    const stored = await (await console.call("GET", `${console.apiPath}/ai-resources?name=tried`))
      .json();
    expect(stored.data[0].model.model).toBe("echo");
    await visit.close();
  },
);

test("an unsaved change is guarded, and a change by somebody else is compared", {
  timeout: 120_000,
}, async () => {
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/resources/demo`);
  await page.getByLabel(/^Description/).fill("mine");
  await page.getByRole("link", { name: "API Keys" }).click();
  await page.getByText("Leave without saving?").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  const { data } = await (await console.call("GET", `${console.apiPath}/ai-resources?name=demo`))
    .json();
  await console.call("PATCH", `${console.apiPath}/ai-resources/${data[0].resourceId}`, {
    description: "theirs",
  });
  await page.keyboard.press("Control+s");
  await page.getByText("Somebody else has changed this").waitFor();
  await page.getByRole("cell", { name: "theirs" }).waitFor();
  expect(await visit.audit()).toEqual([]);
  await visit.picture("journey-conflict");
  await page.getByRole("button", { name: "Save mine over it" }).click();
  await page.getByText("Resource demo is saved").waitFor();
  await visit.close();
});

test(
  "an API key is shown once and gone from the page afterwards",
  { timeout: 120_000 },
  async () => {
    const visit = await console.open();
    const { page } = visit;
    await visit.go(`${home}/keys/new`);
    await page.getByLabel("Name", { exact: true }).fill("once");
    await page.getByRole("button", { name: "Create key" }).click();
    const field = page.getByLabel("The secret");
    await field.waitFor();
    const value = await field.inputValue();
    expect(value).toMatch(/^vmx_sk_/);
    await page.keyboard.press("Escape");
    await field.waitFor();
    expect(await visit.audit()).toEqual([]);
    await page.getByLabel("I have stored it in a safe place").check();
    await page.getByRole("button", { name: "Done" }).click();
    await page.waitForURL(/\/keys\/once/);
    expect(await page.content()).not.toContain(value);
    const answer = await fetch(`${console.url}/v1/models`, {
      headers: { authorization: `Bearer ${value}` },
    });
    expect(answer.status).toBe(200);
    await visit.close();
  },
);

test("the playground streams in three dialects, shows markup as text, and stop ends the request", {
  timeout: 120_000,
}, async () => {
  const visit = await console.open();
  const { page } = visit;
  for (const dialect of ["chat", "responses", "messages"]) {
    await visit.go(`${home}/playground?model=demo&dialect=${dialect}`);
    await page.getByLabel("Message").fill("<img src=x onerror=\"document.title='broken'\">");
    await page.keyboard.press("Control+Enter");
    const answer = page.getByRole("region", { name: "Answer of demo" });
    await answer.getByText("Done").first().waitFor();
    expect(await answer.textContent(), dialect).toContain("<img src=x");
    expect(await answer.textContent(), dialect).toContain("Served by echo/echo");
    expect(await answer.textContent(), dialect).toMatch(/Tokens out\s*\d/);
  }
  expect(await page.title()).not.toBe("broken");
  await visit.go(`${home}/playground?model=echo%2Fecho-pace-500ms`);
  await page.getByLabel("Message").fill("one two three four five six seven eight nine ten");
  await page.keyboard.press("Control+Enter");
  await page.locator("p.text", { hasText: "one" }).waitFor();
  const gone = page.waitForEvent(
    "requestfailed",
    (request) => request.url().endsWith("/chat/completions"),
  );
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await gone;
  await page.getByText("Stopped").first().waitFor();
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("every schema a plugin may bring gives an editor", { timeout: 240_000 }, async () => {
  const visit = await console.open();
  const { page } = visit;
  await page.route("**/api/v1/ai-providers", async (route) => {
    const providers = hostileSchemas.map(({ name, schema }, index) => ({
      id: `odd-${index}`,
      aliases: [],
      name,
      description: "<b>third party</b>",
      logoUrl: null,
      defaultModel: null,
      operations: ["chat"],
      nativeDialects: ["openai-chat"],
      configSchema: schema,
      plugin: { id: "odd", version: "1.0.0" },
    }));
    await route.fulfill({ json: { data: providers } });
  });
  // What is complete is tested at once; this gateway knows none of these providers.
  await page.route(
    "**/ai-connections/test",
    (route) => route.fulfill({ json: { ok: true, latencyMs: 1, modelsFound: null } }),
  );
  const blank: string[] = [];
  for (const [index, { name }] of hostileSchemas.entries()) {
    await visit.go(`${home}/connections/new?provider=odd-${index}`);
    const editors = await page.locator("form .card").first().locator(
      "input, textarea, select, .editor",
    ).count();
    // Name, description and allowed models are always there.
    if (editors <= 3) blank.push(name);
    if (await page.title() === "broken") blank.push(`${name}: markup ran`);
  }
  expect(blank).toEqual([]);
  expect(visit.faults).toEqual([]);
  await visit.close();
});

interface Upstream {
  readonly url: string;
  stop(): Promise<void>;
}

/** A service that speaks just enough Chat Completions to be connected. */
async function startUpstream(): Promise<Upstream> {
  const server: Server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify(
        request.url?.endsWith("/models")
          ? { object: "list", data: [{ id: "mini-1", object: "model" }] }
          : {
            id: "1",
            object: "chat.completion",
            choices: [{
              index: 0,
              message: { role: "assistant", content: "Hello" },
              finish_reason: "stop",
            }],
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
          },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
