import process from "node:process";
import { type ApiKeyCreated, Vmx } from "./index.ts";

/*
 * Calls every operation of the OpenAPI document on a running gateway (`VMX_BASE_URL`, `VMX_TOKEN` of an
 * administrator) and prints what was called, as JSON. Runs on Node and on Deno; `every-operation.test.ts` starts it.
 *
 * A new operation is one more line in `steps`.
 */

/** What the script prints. */
export interface Coverage {
  readonly runtime: string;
  /** Operations that answered. */
  readonly called: readonly string[];
  /** Operations of the document that no line calls. */
  readonly missing: readonly string[];
  /** Lines that failed, with the error. */
  readonly failed: readonly string[];
}

const runtime = "Deno" in globalThis ? "deno" : "node";
const requests: { readonly method: string; readonly path: string }[] = [];
const recordingFetch = async (url: string, init: RequestInit): Promise<Response> => {
  const response = await fetch(url, init);
  if (response.ok) requests.push({ method: init.method ?? "GET", path: new URL(url).pathname });
  return response;
};

const vmx = new Vmx({ fetch: recordingFetch, workspace: runtime, environment: "main" });
const person = new Vmx({ fetch: recordingFetch, session: true });
const named = (name: string) => `${runtime}-${name}`;
const inside = { workspaceId: runtime, environmentId: "main" };
const username = named("ana");
const password = "a passphrase for the client's test";
const echo = { connectionName: "local", model: "echo" };
const pool = {
  name: "all",
  rank: 1,
  resources: ["chat"],
  minReservation: 10,
  maxReservation: 90,
};
const price = {
  provider: "echo",
  model: "*",
  pricePerMillion: { inputUncached: 0, output: 0 },
};
const lately = new Date(Date.now() - 3_600_000).toISOString();
const soon = new Date(Date.now() + 60_000).toISOString();
const usage = {
  filter: { dateRange: { start: lately, end: soon } },
  agg: { requestCount: "sum" as const },
  dimensions: [],
};
const policy = { statements: [{ effect: "allow", actions: ["*:get"], resources: ["*"] }] };

/** In the order of a life: made, read, changed, deleted. */
const steps: readonly (() => PromiseLike<unknown>)[] = [
  () => vmx.system.openApi(),
  () => vmx.system.get(),
  () => vmx.system.reEncryption(),
  () => vmx.system.reEncrypt({ toKeyVersion: 1 }),
  () => vmx.aiProviders.list(),
  () => vmx.plugins.list(),
  () => vmx.plugins.get("@vmx/provider-echo"),
  () => vmx.plugins.update("@vmx/provider-echo", { enabled: true }),
  () => vmx.call("putPlugin", { path: { pluginId: "@vmx/provider-echo" }, body: {} }),

  () => vmx.workspaces.create({ name: runtime }),
  () => vmx.workspaces.list({ name: runtime }),
  () => vmx.workspaces.get(runtime, { includesUsers: true }),
  () => vmx.workspaces.update(runtime, { description: "of the client's test" }),
  () => vmx.workspaces.upsert(runtime, { description: null }),
  () => vmx.call("putWorkspace", { path: { workspaceId: runtime }, body: {} }),
  () => vmx.environments.create(runtime, { name: "main" }),
  () => vmx.environments.list(runtime),
  () => vmx.environments.get(runtime, "main"),
  () => vmx.environments.update(runtime, "main", { settings: { payloadCapture: "none" } }),
  () => vmx.environments.upsert(runtime, "Main", { description: "the only one" }),
  () => vmx.call("putEnvironment", { path: inside, body: {} }),

  () => vmx.aiConnections.testConfig({ provider: "echo" }),
  () => vmx.aiConnections.create({ name: "local", provider: "echo" }),
  () => vmx.aiConnections.list(),
  () => vmx.aiConnections.get("local"),
  () => vmx.aiConnections.update("local", { description: "answers itself" }),
  () => vmx.aiConnections.upsert("local", { provider: "echo", enabled: true }),
  () => vmx.call("putAiConnection", { path: { ...inside, connectionId: "local" }, body: {} }),
  () => vmx.aiConnections.test("local", { model: "echo" }),
  () => vmx.aiConnections.models("local"),
  () => vmx.aiResources.create({ name: "chat", model: echo }),
  () => vmx.aiResources.list({ connectionId: "local" }),
  () => vmx.aiResources.get("chat"),
  () => vmx.aiResources.update("chat", { defaultArgs: { temperature: 0 } }),
  () => vmx.aiResources.upsert("chat", { model: echo }),
  () => vmx.call("putAiResource", { path: { ...inside, resourceId: "chat" }, body: {} }),
  () => vmx.aiConnections.references("local"),
  () => vmx.aiResources.routeTest("chat", { dialect: "openai-chat", body: { messages: [] } }),
  () =>
    vmx.aiResources.routeTest("draft", {
      dialect: "openai-chat",
      body: { messages: [] },
      resource: { name: "new", model: echo },
    }),
  () => vmx.aiResources.errorRate("chat", { window: 5 }),
  () => vmx.poolDefinition.put({ definition: [pool] }),
  () => vmx.poolDefinition.get(),
  () => vmx.poolDefinition.update({ definition: [{ ...pool, minReservation: 20 }] }),
  () => vmx.poolDefinition.allocation(),
  () => vmx.poolDefinition.delete(),
  () => vmx.capacity.get({ level: "resource" }),
  () => firstOf(vmx.capacity.stream()),
  () => vmx.aiConnections.update("local", { capacity: [{ period: "minute", requests: 100 }] }),
  async () => {
    const { connectionId } = await vmx.aiConnections.get("local");
    await vmx.capacity.reset({ level: "connection", subjectId: connectionId, period: "minute" });
  },
  () => vmx.apiKeys.create({ name: "app", resources: ["chat"] }),
  () => vmx.apiKeys.list({ resourceId: "chat", limit: 1 }).toArray(),
  () => vmx.apiKeys.get("app"),
  () => vmx.apiKeys.update("app", { labels: ["ci"] }),
  async () => {
    const made = await vmx.apiKeys.upsert("second") as ApiKeyCreated;
    if (!made.value.startsWith("vmx_sk_")) throw new Error("a new key has no value");
  },
  () => vmx.call("putApiKey", { path: { ...inside, apiKeyId: "app" }, body: {} }),
  () => vmx.apiKeys.roll("app", { graceSeconds: 3_600 }),
  async () => {
    const events = vmx.audit.stream({ resourceId: "chat" }, { onState: () => void callModel() });
    const { data } = await firstOf(events);
    if (data.row?.requestId === undefined) {
      throw new Error("an event of the audit tells no request");
    }
  },
  async () => {
    const [row] = await until(() => vmx.audit.list({ "metadata.from": runtime }).toArray());
    await vmx.audit.get(row!.requestId);
  },
  async () => {
    const { data } = await vmx.audit.export({ format: "csv" });
    const text = await new Response(data).text();
    if (!text.startsWith("requestId")) throw new Error(`no CSV: ${text.slice(0, 80)}`);
  },
  () => vmx.audit.metadataKeys(),
  () => vmx.audit.metadataValues("from"),
  () => vmx.usage.query(usage),
  async () => {
    const { data } = await vmx.usage.export(usage);
    const text = await new Response(data).text();
    if (!text.startsWith("requestCount")) throw new Error(`no CSV: ${text.slice(0, 80)}`);
  },
  () => vmx.priceLists.list(),
  () => vmx.priceLists.preview({ entries: [price], days: 1 }),
  async () => {
    const { priceListId } = await vmx.priceLists.create({ entries: [price] });
    await vmx.priceLists.get(priceListId);
    await vmx.priceLists.rerate(priceListId, { from: lately, to: soon, dryRun: true });
  },
  () => vmx.activity.list({ limit: 2 }).toArray(),
  () => vmx.installationActivity.list(),

  () => vmx.roles.create({ name: named("reader"), policy }),
  () => vmx.roles.list(),
  () => vmx.roles.get(named("reader")),
  () => vmx.roles.update(named("reader"), { description: "reads" }),
  () => vmx.roles.upsert(named("reader"), { policy }),
  () => vmx.call("putRole", { path: { roleId: named("reader") }, body: {} }),
  () => vmx.roles.permissions(),
  () =>
    vmx.users.create({
      firstName: "Ana",
      lastName: "Lima",
      username,
      email: `${username}@example.com`,
      password,
      state: "ACTIVE",
      roleIds: ["power-user"],
    }),
  () => vmx.users.list({ q: username }),
  () => vmx.users.get(username),
  () => vmx.users.update(`${username}@example.com`, { firstName: "Anna" }),
  async () => {
    const name = { firstName: "Ana", lastName: "Lima", email: `${username}@example.com` };
    const { firstName } = await vmx.users.upsert(username.toUpperCase(), { ...name, password });
    if (firstName !== "Ana") throw new Error("a user that exists is not changed");
  },
  () => vmx.call("putUser", { path: { userId: username }, body: {} }),
  () => vmx.roles.assign(named("reader"), [username]),
  () => vmx.roles.members(named("reader")),
  () => vmx.roles.simulate({ userId: username, action: "user:get", resource: "user:x" }),
  () => vmx.roles.unassign(named("reader"), [username]),
  () => vmx.workspaces.addMembers(runtime, { userIds: [username], role: "MEMBER" }),
  () => vmx.workspaces.members(runtime),
  () => vmx.workspaces.updateMember(runtime, username, { role: "OWNER" }),
  () =>
    vmx.call("putWorkspaceMember", {
      path: { workspaceId: runtime, userId: username },
      body: { role: "MEMBER" },
    }),
  () => vmx.workspaces.removeMember(runtime, username),

  () => person.auth.options(),
  () => person.auth.login({ username, password }),
  () => person.auth.session(),
  () => person.me.get(),
  () => person.me.update({ lastName: "Costa" }),
  () => person.call("putMe", { body: {} }),
  () => person.me.permissions({ action: ["role:list"], resource: ["role"] }),
  () => person.me.tokens.create({ name: "laptop" }),
  () => person.me.tokens.list(),
  () => person.me.tokens.delete("laptop"),
  () => person.auth.changePassword({ currentPassword: password, newPassword: `${password}, anew` }),
  () => person.auth.logout({ all: true }),

  () => vmx.apiKeys.delete("app"),
  () => vmx.aiResources.delete("chat"),
  () => vmx.aiConnections.delete("local"),
  () => vmx.environments.delete(runtime, "main"),
  () => vmx.workspaces.delete(runtime),
  () => vmx.users.delete(username),
  () => vmx.roles.delete(named("reader"), { detach: true }),
];

/** Makes one request of an application, with the key that a step before has rolled. */
async function callModel(): Promise<void> {
  const { value } = await vmx.apiKeys.roll("app");
  await fetch(`${process.env["VMX_BASE_URL"]}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${value}`, "x-vmx-metadata-from": runtime },
    body: JSON.stringify({ model: "chat", messages: [{ role: "user", content: "hello" }] }),
  });
}

async function firstOf<T>(events: AsyncIterable<T>): Promise<T> {
  for await (const event of events) return event;
  throw new Error("the stream ended without an event");
}

async function until<T>(read: () => Promise<T[]>): Promise<T[]> {
  for (let attempt = 0;; attempt++) {
    const items = await read();
    if (items.length > 0 || attempt > 50) return items;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const failed: string[] = [];
for (const step of steps) {
  await Promise.resolve().then(step).catch((error: unknown) => {
    failed.push(`${String(step).slice(0, 200)}: ${error}`);
  });
}
const operations = operationsOf(await vmx.system.openApi());
const called = operations.filter(({ method, pattern }) =>
  requests.some((request) => request.method === method && pattern.test(request.path))
).map(({ id }) => id);
const missing = operations.map(({ id }) => id).filter((id) => !called.includes(id));
const coverage: Coverage = { runtime, called, missing, failed };
process.stdout.write(`${JSON.stringify(coverage)}\n`);

/** Operations of a document, those with fewer parameters in the path first. */
function operationsOf(document: Readonly<Record<string, unknown>>) {
  const paths = document["paths"] as Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly operationId: string; readonly responses: object }>>
    >
  >;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).filter(([, { responses }]) =>
      // What only sends a browser elsewhere is a link, and no call.
      Object.keys(responses).some((status) => status.startsWith("2"))
    ).map(([method, { operationId }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      // Fixed segments such as `test` are no ids.
      pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "(?!test$|draft$|permissions$)[^/]+")}$`),
    }))
  );
}
