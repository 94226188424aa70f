import { afterAll, beforeAll, expect, test } from "vitest";
import { type Console, startConsole } from "./console.ts";
import { sendRequests } from "./traffic.ts";

let console: Console;
let screens: Readonly<Record<string, string>> = {};
const markup = `<img src=x onerror="document.title='broken'"><b>bold</b>`;

beforeAll(async () => {
  console = await startConsole();
  const connection = await (await console.call("GET", `${console.apiPath}/ai-connections`)).json();
  const { connectionId } = connection.data[0];
  const slot = { connectionId, model: "echo" };
  await console.call("POST", `${console.apiPath}/ai-resources`, {
    name: markup,
    description: markup,
    model: slot,
    secondaryModels: [slot],
    fallbackModels: [{ ...slot, model: "echo-slow-100ms" }],
    capacity: [{ period: "minute", requests: 100, tokens: 10_000, enabled: true }],
    defaultArgs: { temperature: 0.2 },
    routing: {
      enabled: true,
      conditions: [
        {
          description: markup,
          if: [{ field: "requestTokens", operator: "lessThan", value: 100 }],
          then: { ...slot, traffic: 50 },
        },
        { expression: "hasTools", action: "BLOCK" },
      ],
    },
  });
  await console.call("POST", `${console.apiPath}/api-keys`, {
    name: markup,
    labels: [markup],
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
  });
  await console.call("POST", `${console.apiPath}/ai-connections`, {
    name: markup.replaceAll("/", ""),
    description: markup,
    provider: "echo",
    config: {},
    capacity: [{ period: "day", requests: 1_000, enabled: true }],
  });
  await console.call("POST", "/api/v1/me/tokens", { name: "a script" });
  const requestId = await sendRequests(console, markup);
  const lists = await (await console.call("GET", "/api/v1/price-lists")).json();
  screens = { ...settled, ...observed(requestId, lists.data[0].priceListId, connectionId) };
}, 180_000);

afterAll(() => console.stop());

const odd = encodeURIComponent(markup);
const home = "/w/default/default";
/** Screens of what was served, which exist once there was traffic. */
const observed = (requestId: string, priceListId: string, connectionId: string) => ({
  audit: `${home}/audit`,
  "audit-filtered": `${home}/audit?status=denied&metadata=tier%3Dgold`,
  "audit-none": `${home}/audit?status=blocked`,
  "audit-empty": `${home}/audit?range=custom&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`,
  "audit-unknown": `${home}/audit?request=00000000-0000-7000-8000-000000000000`,
  ...Object.fromEntries(
    ["legs", "conversation", "request", "response", "headers", "routing", "cost", "raw"].map((
      tab,
    ) => [`audit-${tab}`, `${home}/audit?request=${requestId}&tab=${tab}`]),
  ),
  usage: `${home}/usage?range=1h`,
  "usage-grouped":
    `${home}/usage?range=1h&measure=cost&by=resourceId&by2=model&compare=previous&view=line`,
  "usage-table": `${home}/usage?range=1h&measure=latency-p95&view=table`,
  "usage-none": `${home}/usage?range=custom&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`,
  "usage-panels": `${home}/usage?range=1h&tab=panels`,
  capacity: `${home}/capacity`,
  "capacity-filtered": `${home}/capacity?q=no-such-limit`,
  "capacity-history": `${home}/capacity?q=echo&level=connection&history=${connectionId}`,
  prioritization: `${home}/prioritization`,
  prices: "/prices",
  "price-list": `/prices?list=${priceListId}`,
  identity: "/identity",
  system: "/system",
});

/** Screens of what is set up, by the name of their picture. */
const settled: Readonly<Record<string, string>> = {
  overview: home,
  connections: `${home}/connections`,
  "connection-new": `${home}/connections/new`,
  "connection-quick": `${home}/connections/quick`,
  "connection-new-form": `${home}/connections/new?provider=aws-bedrock`,
  connection: `${home}/connections/echo`,
  "connection-provider": `${home}/connections/echo?tab=provider`,
  "connection-capacity": `${home}/connections/${
    encodeURIComponent(markup.replaceAll("/", ""))
  }?tab=capacity`,
  "connection-usage": `${home}/connections/echo?tab=usage`,
  "connection-used-by": `${home}/connections/echo?tab=used-by`,
  "connection-history": `${home}/connections/echo?tab=history`,
  "connection-code": `${home}/connections/echo?tab=code`,
  resources: `${home}/resources`,
  "resource-new": `${home}/resources/new`,
  resource: `${home}/resources/${odd}`,
  "resource-routing": `${home}/resources/${odd}?tab=routing`,
  "resource-secondary": `${home}/resources/${odd}?tab=secondary`,
  "resource-fallback": `${home}/resources/${odd}?tab=fallback`,
  "resource-capacity": `${home}/resources/${odd}?tab=capacity`,
  "resource-access": `${home}/resources/${odd}?tab=access`,
  "resource-usage": `${home}/resources/falls%20back?tab=usage`,
  "resource-use": `${home}/resources/${odd}?tab=use`,
  "resource-used-by": `${home}/resources/falls%20back?tab=used-by`,
  "resource-try": `${home}/resources/falls%20back?tab=use&try=yes`,
  "resource-history": `${home}/resources/${odd}?tab=history`,
  "resource-code": `${home}/resources/${odd}?tab=code`,
  keys: `${home}/keys`,
  "key-new": `${home}/keys/new`,
  key: `${home}/keys/${odd}`,
  "key-access": `${home}/keys/${odd}?tab=access`,
  "key-capacity": `${home}/keys/traffic?tab=capacity`,
  "key-usage": `${home}/keys/traffic?tab=usage`,
  "key-code": `${home}/keys/traffic?tab=code`,
  playground: `${home}/playground`,
  sdk: `${home}/sdk`,
  settings: `${home}/settings`,
  workspaces: "/workspaces",
  workspace: "/workspaces/default",
  users: "/users",
  user: "/users/admin",
  roles: "/roles",
  "role-new": "/roles/new",
  role: "/roles/power-user",
  plugins: "/plugins",
  plugin: "/plugins?plugin=%40vmx%2Fprovider-echo",
  activity: "/activity",
  account: "/account",
  "account-tokens": "/account?tab=tokens",
  "account-password": "/account?tab=password",
};

/** The browser writes an error for every answer that is one, also where a screen is about just that. */
const expected: Readonly<Record<string, RegExp>> = {
  "audit-unknown": /404 .*\/audit\/00000000-0000-7000-8000-000000000000$/,
};

/** A screen as it first appeared. */
interface Paint {
  readonly name: string;
  readonly ms: number;
  readonly scriptBytes: number;
}

/**
 * Looks at every screen in one theme and all widths. In the light every screen is loaded by itself and audited for
 * everything. In the dark one leads to the next, as people go, and colours are audited: all that differs there.
 */
async function lookAround(theme: "light" | "dark") {
  const visit = await console.open({ theme });
  const found: string[] = [];
  const paints: Paint[] = [];
  for (const [name, path] of Object.entries(screens)) {
    await visit.resize(1280);
    if (theme === "light" || paints.length === 0) await visit.go(path);
    else await visit.follow(path);
    paints.push({ name, ...await visit.page.evaluate(firstPaint) });
    for (const width of [1280, 390, 320]) {
      await visit.resize(width);
      const at = `${name}, ${theme}, ${width} px`;
      const { title, headings, overflow } = await visit.page.evaluate(facts);
      if (headings !== 1) found.push(`${at}: ${headings} main headings`);
      if (overflow > 0) found.push(`${at}: ${overflow} px wider than the window`);
      if (title === "broken") found.push(`${at}: stored markup ran`);
      // As narrow as 1280 px are at a zoom of 400 %: nothing is to stick out.
      if (width === 320) continue;
      await visit.picture(`${name}-${theme}-${width}`);
      const findings = await visit.audit(theme === "light" ? "everything" : "colours");
      found.push(...findings.map((finding) => `${at}: ${finding}`));
    }
    const faults = visit.faults.splice(0).filter((fault) => !expected[name]?.test(fault));
    found.push(...faults.map((fault) => `${name}, ${theme}: ${fault}`));
  }
  await visit.close();
  return { found, paints };
}

const facts = () => ({
  title: document.title,
  headings: document.querySelectorAll("h1").length,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
});

const firstPaint = () => ({
  ms: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  scriptBytes: performance.getEntriesByType("resource").reduce(
    (sum, each) =>
      each.name.endsWith(".js") ? sum + (each as PerformanceResourceTiming).encodedBodySize : sum,
    0,
  ),
});

test("every screen is whole, accessible and quiet: light and dark, at 1280, 390 and 320 px", {
  timeout: 600_000,
}, async () => {
  // Two pages at a time: there are two processors.
  const [light, dark] = await Promise.all([lookAround("light"), lookAround("dark")]);
  expect([...light.found, ...dark.found]).toEqual([]);
  const times = light.paints.map(({ ms }) => ms).sort((a, b) => a - b);
  const [median, slowest] = [0.5, 1].map((part) => times[Math.ceil(part * times.length) - 1]!);
  const lines = light.paints.map(({ name, ms, scriptBytes }) =>
    `${name} ${ms.toFixed(0)} ms, ${(scriptBytes / 1024).toFixed(0)} KiB`
  );
  globalThis.console.log(
    `First contentful paint, two pages at a time: median ${median!.toFixed(0)} ms, slowest ` +
      `${slowest!.toFixed(0)} ms; with the script each screen takes, compressed:\n${
        lines.join("\n")
      }`,
  );
});

test("the sign-in page is accessible, and wrong credentials do not tell which part was wrong", {
  timeout: 120_000,
}, async () => {
  const visit = await console.open({ signedIn: false });
  await visit.go("/w/default/default/keys");
  await visit.page.getByLabel("Username or email").fill("nobody");
  await visit.page.getByLabel("Password").fill("wrong wrong wrong");
  await visit.page.keyboard.press("Enter");
  await visit.page.getByRole("alert").waitFor();
  expect(await visit.audit()).toEqual([]);
  expect(await visit.page.getByRole("alert").textContent()).not.toMatch(
    /user(name)? .*(unknown|exist)/i,
  );
  await visit.picture("sign-in-light-1280");
  await visit.close();
});

test("what the gateway does not know has a page that says so", async () => {
  const visit = await console.open();
  await visit.go(`${home}/resources/no-such-resource`);
  await visit.page.getByText("This does not exist").waitFor();
  await visit.page.goto("/w/default/no-such-environment");
  await visit.page.getByText("There is nothing at this address").waitFor();
  await visit.close();
});

test("who may not see a page is told which right is missing, on every page", {
  timeout: 180_000,
}, async () => {
  const role = await (await console.call("POST", "/api/v1/roles", {
    name: "doorman",
    policy: {
      // Members may do much; deny wins.
      statements: [{
        effect: "deny",
        actions: [
          ...["ai-resource", "ai-connection", "api-key", "audit", "usage", "capacity"],
          ...["pool-definition", "completion", "user", "role", "price-list", "plugin"],
          ...["activity", "system"],
        ].map((module) => `${module}:*`),
        resources: ["*"],
      }],
    },
  })).json() as { roleId: string };
  const user = await console.call("POST", "/api/v1/users", {
    firstName: "Dora",
    lastName: "Mann",
    username: "doorman",
    email: "doorman@example.com",
    password: "only as far as the door",
    state: "ACTIVE",
    roleIds: [role.roleId],
  });
  expect(user.status).toBe(201);
  const { userId } = await user.json() as { userId: string };
  const { data } = await (await console.call("GET", "/api/v1/workspaces")).json() as {
    data: { workspaceId: string }[];
  };
  await console.call("POST", `/api/v1/workspaces/${data[0]!.workspaceId}/members`, {
    userIds: [userId],
    role: "MEMBER",
  });
  const visit = await console.open({ signedIn: false });
  const { page } = visit;
  await page.goto("/sign-in");
  await page.getByLabel("Username or email").fill("doorman");
  await page.getByLabel("Password").fill("only as far as the door");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/w\//);
  const closed = [
    ...["resources", "connections", "keys", "audit", "usage", "capacity", "prioritization"].map((
      each,
    ) => `${home}/${each}`),
    ...["users", "roles", "prices", "plugins", "activity", "system", "identity"].map((each) =>
      `/${each}`
    ),
    `${home}/resources/demo`,
    `${home}/connections/echo`,
    `${home}/keys/traffic`,
  ];
  const silent: string[] = [];
  for (const path of closed) {
    await visit.go(path);
    const told = await page.locator("main").innerText();
    const isTold = /You may not see this/.test(told) && /\b[a-z-]+:(list|get)\b/.test(told);
    if (!isTold) silent.push(`${path}: ${told.replace(/\s+/g, " ").slice(0, 200)}`);
  }
  expect(silent).toEqual([]);
  // The overview is open to all who see the environment: its parts say it each for itself.
  await visit.go(home);
  await page.getByText("You may not see this").first().waitFor();
  expect(await visit.audit()).toEqual([]);
  await visit.picture("overview-not-permitted");
  // What the browser writes are the refusals themselves.
  expect(visit.faults.filter((fault) => !/ 40[13] /.test(fault))).toEqual([]);
  await visit.close();
});

test("who may only read sees why the rest cannot be pressed", async () => {
  const roles = await (await console.call("GET", "/api/v1/roles")).json() as {
    data: { roleId: string; name: string }[];
  };
  const role = roles.data.find(({ name }) => name === "read-only")!;
  const user = await (await console.call("POST", "/api/v1/users", {
    firstName: "Rea",
    lastName: "Der",
    username: "reader",
    email: "reader@example.com",
    password: "a quiet reading room",
    state: "ACTIVE",
    roleIds: [role.roleId],
  })).json() as { userId: string };
  const workspaces = await (await console.call("GET", "/api/v1/workspaces")).json() as {
    data: { workspaceId: string }[];
  };
  await console.call("POST", `/api/v1/workspaces/${workspaces.data[0]!.workspaceId}/members`, {
    userIds: [user.userId],
    role: "MEMBER",
  });
  const visit = await console.open({ signedIn: false });
  await visit.page.goto("/sign-in");
  await visit.page.getByLabel("Username or email").fill("reader");
  await visit.page.getByLabel("Password").fill("a quiet reading room");
  await visit.page.keyboard.press("Enter");
  await visit.page.waitForURL(/\/w\//);
  await visit.go(`${home}/connections`);
  const add = visit.page.getByRole("button", { name: /Add connection/ }).first();
  await add.waitFor();
  expect(await add.getAttribute("aria-disabled")).toBe("true");
  expect(await add.getAttribute("title")).toBe("You lack the right ai-connection:create");
  await visit.picture("connections-read-only");
  await visit.close();
});
