import { afterAll, beforeAll, expect, test } from "vitest";
import { hashSecret } from "../access/token-format.ts";
import { startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let base: string;
const canary = "sk-canary-7f3e9a51c2d84b06";

beforeAll(async () => {
  plane = await startTestManagement({ OPENAI_API_KEY: canary });
  base = plane.environmentPath;
});
afterAll(() => plane.stop());

async function createConnection(name: string, extra: object = {}) {
  const answer = await plane.call("POST", `${base}/ai-connections`, {
    name,
    provider: "openai",
    config: { apiKey: canary },
    ...extra,
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

async function createResource(name: string, model: object, extra: object = {}) {
  const answer = await plane.call("POST", `${base}/ai-resources`, { name, model, ...extra });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

test("the first run makes what its manifests and variables ask for, and only once", async () => {
  const connections = await plane.call("GET", `${base}/ai-connections`);
  expect(connections.body.data.map(({ name }: { name: string }) => name).sort())
    .toEqual(["echo", "openai"]);
  const resources = await plane.call("GET", `${base}/ai-resources`);
  expect(resources.body.data.map(({ name }: { name: string }) => name).sort())
    .toEqual(["demo", "openai-default"]);
  expect(plane.firstRun.resource).toBe("demo");
  const { value } = plane.firstRun.apiKey;
  expect(plane.loader.current().apiKeysByHash.has(hashSecret(value))).toBe(true);
});

test("a workspace is created, read, changed, listed and deleted with its environments", async () => {
  const created = await plane.call("POST", "/api/v1/workspaces", { name: "  Café  " });
  expect(created.status).toBe(201);
  expect(created.body.name).toBe("Café");
  expect(created.headers.get("etag")).toBe('"1"');
  expect(created.headers.get("cache-control")).toBe("no-cache");
  expect(Number(created.headers.get("x-vmx-revision"))).toBeGreaterThan(0);
  const path = `/api/v1/workspaces/${created.body.workspaceId}`;

  const taken = await plane.call("POST", "/api/v1/workspaces", { name: "CAFÉ" });
  expect([taken.status, taken.body.code]).toEqual([409, "WORKSPACE_ALREADY_EXISTS"]);
  const members = await plane.call("GET", `${path}/members`);
  expect(members.body.data).toEqual([expect.objectContaining({ role: "OWNER" })]);

  const environment = await plane.call("POST", `${path}/environments`, {
    name: "prod",
    settings: { production: true, prioritization: { cooldownSeconds: 9 } },
  });
  expect(environment.body.settings).toMatchObject({
    production: true,
    payloadCapture: "full",
    prioritization: { windowSeconds: 30, cooldownSeconds: 9 },
  });
  const reset = await plane.call(
    "PATCH",
    `${path}/environments/${environment.body.environmentId}`,
    {
      settings: { production: null },
    },
  );
  expect(reset.body.settings).toMatchObject({
    production: false,
    prioritization: { cooldownSeconds: 9 },
  });
  expect(reset.body.version).toBe(2);

  const renamed = await plane.call("PUT", path, { description: "d" });
  expect(renamed.body).toMatchObject({ name: "Café", description: "d" });
  const listed = await plane.call(
    "GET",
    "/api/v1/workspaces?name=caf%C3%A9&includesEnvironments=true&includesUsers=true",
  );
  expect(listed.body.data[0]).toMatchObject({
    createdByUser: { email: "admin@localhost" },
    environments: [{ name: "prod" }],
  });
  expect((await plane.call("DELETE", path)).status).toBe(204);
  const gone = await plane.call("GET", `${path}/environments/${environment.body.environmentId}`);
  expect([gone.status, gone.body.code]).toEqual([404, "WORKSPACE_NOT_FOUND"]);
});

test("secrets are sealed in the table, masked in answers, and kept when asterisks come back", async () => {
  const connection = await createConnection("sealed", { config: { apiKey: canary, project: "p" } });
  expect(connection.config).toEqual({ apiKey: "********", project: "p" });
  const path = `${base}/ai-connections/${connection.connectionId}`;
  const stored = async () => {
    const rows = await plane.database.em().execute<{ config: { apiKey: string } }[]>(
      `select config from ${plane.database.schema}.ai_connections where connection_id = ?`,
      [connection.connectionId],
    );
    return rows[0]!.config;
  };
  const before = await stored();
  expect(JSON.stringify(before)).not.toContain(canary);

  const kept = await plane.call("PATCH", path, { config: { apiKey: "*****", project: "q" } });
  expect(kept.body.config).toEqual({ apiKey: "********", project: "q" });
  expect((await stored()).apiKey).toBe(before.apiKey);
  const opened = plane.loader.current().environments.get(plane.firstRun.environmentId)!
    .connections.get(connection.connectionId)!;
  expect((opened.config!.apiKey as { reveal(): string }).reveal()).toBe(canary);

  const changed = await plane.call("PATCH", path, {
    config: { apiKey: "sk-another-secret-value" },
  });
  expect(changed.status).toBe(200);
  expect((await stored()).apiKey).not.toBe(before.apiKey);
  const cleared = await plane.call("PATCH", path, { config: { apiKey: null } });
  expect([cleared.status, cleared.body.code]).toEqual([400, "AI_CONNECTION_CONFIG_INVALID"]);
  expect(cleared.body.errors).toEqual([expect.objectContaining({ path: "/config/apiKey" })]);
});

test("a stored secret never follows a changed destination, saved or only tested", async () => {
  const { connectionId } = await createConnection("moving", {
    config: { apiKey: canary, headers: { "x-team": "header-secret" } },
  });
  const path = `${base}/ai-connections/${connectionId}`;
  const elsewhere = { baseUrl: "https://elsewhere.example/v1" };
  for (
    const [method, url] of [["PATCH", path], ["POST", `${path}/test`]] as const
  ) {
    const refused = await plane.call(method, url, { config: elsewhere });
    expect([refused.status, refused.body.code]).toEqual([400, "AI_CONNECTION_CONFIG_INVALID"]);
    expect(refused.body.detail).toContain("re-enter apiKey");
    const half = await plane.call(method, url, { config: { ...elsewhere, apiKey: canary } });
    expect(half.body.detail).toContain("re-enter headers.x-team");
  }
  const whole = await plane.call("PATCH", path, {
    config: { ...elsewhere, apiKey: canary, headers: { "x-team": "again" } },
  });
  expect(whole.status, whole.text).toBe(200);
  const otherProvider = await plane.call("PATCH", path, {
    provider: "openai-compatible",
    config: { baseUrl: "https://third.example/v1" },
  });
  // Another provider takes nothing over, the secrets least of all.
  expect(JSON.stringify(otherProvider.body.config ?? {})).not.toContain("****");
});

test("private and metadata addresses are refused at save", async () => {
  for (const baseUrl of ["http://169.254.169.254/v1", "https://10.0.0.7/v1"]) {
    const answer = await plane.call("POST", `${base}/ai-connections`, {
      name: `egress ${baseUrl}`.replaceAll("/", "-"),
      provider: "openai",
      config: { apiKey: canary, baseUrl },
    });
    expect([answer.status, answer.body.code]).toEqual([400, "EGRESS_REFUSED"]);
  }
});

test("providers are known by aliases and unknown ones are named", async () => {
  const listed = await plane.call("GET", "/api/v1/ai-providers");
  const openai = listed.body.data.find(({ id }: { id: string }) => id === "openai");
  expect(openai).toMatchObject({ configSchema: { properties: { apiKey: { format: "secret" } } } });
  const unknown = await plane.call("POST", `${base}/ai-connections`, {
    name: "x",
    provider: "nobody",
  });
  expect([unknown.status, unknown.body.code]).toEqual([400, "AI_PROVIDER_NOT_FOUND"]);
});

test("slots are resolved by name, ids win, and errors name the slot", async () => {
  const one = await createConnection("slot one");
  const two = await createConnection("slot two");
  const resource = await createResource("slots", { connectionName: "SLOT ONE", model: "a" }, {
    secondaryModels: [{
      connectionId: two.connectionId,
      connectionName: "slot one",
      model: "b",
      maxRetries: 3,
      timeoutMs: 100,
    }],
  });
  expect(resource.model).toEqual({
    connectionId: one.connectionId,
    provider: "openai",
    model: "a",
    maxRetries: 0,
    timeoutMs: null,
  });
  expect(resource.secondaryModels[0].connectionId).toBe(two.connectionId);

  await plane.call("PATCH", `${base}/ai-connections/${one.connectionId}`, { name: "renamed" });
  const path = `${base}/ai-resources/${resource.resourceId}`;
  expect((await plane.call("GET", path)).body.model.connectionId).toBe(one.connectionId);

  const unknown = await plane.call("POST", `${base}/ai-resources`, {
    name: "broken",
    model: { connectionName: "renamed", model: "a" },
    fallbackModels: [
      { connectionName: "renamed", model: "a" },
      { connectionName: "missing", model: "a" },
      { model: "a" },
      { connectionName: "renamed", model: "a", provider: "echo" },
    ],
  });
  expect([unknown.status, unknown.body.code]).toEqual([400, "invalid_request"]);
  expect(
    unknown.body.errors.map(({ slot, path, code }: Record<string, string>) => [slot, path, code]),
  )
    .toEqual([1, 2, 3].map((index) => [
      `fallbackModels[${index}]`,
      `/fallbackModels/${index}`,
      "invalid_request",
    ]));
  for (const tuning of [{ maxRetries: 11 }, { timeoutMs: 99 }, { timeoutMs: 600_001 }]) {
    const refused = await plane.call("PATCH", path, { model: tuning });
    expect([refused.status, refused.body.code]).toEqual([400, "VALIDATION_FAILED"]);
  }
  const merged = await plane.call("PATCH", path, { model: { maxRetries: 2 } });
  expect(merged.body.model).toMatchObject({ connectionId: one.connectionId, maxRetries: 2 });
  const moved = await plane.call("PATCH", path, { model: { connectionName: "slot two" } });
  expect(moved.body.model).toMatchObject({ connectionId: two.connectionId, maxRetries: 2 });
});

test("a connection of another environment is unknown to a slot", async () => {
  const workspace = `/api/v1/workspaces/${plane.firstRun.workspaceId}/environments`;
  const other = await plane.call("POST", workspace, { name: "other" });
  const { connectionId } = await createConnection("at home");
  const refused = await plane.call(
    "POST",
    `${workspace}/${other.body.environmentId}/ai-resources`,
    {
      name: "thief",
      model: { connectionId, model: "a" },
    },
  );
  expect([refused.status, refused.body.code]).toEqual([400, "invalid_request"]);
  const path = `${workspace}/${other.body.environmentId}/ai-connections/${connectionId}`;
  const hidden = await plane.call("GET", path);
  const absent = await plane.call(
    "GET",
    `${workspace}/${other.body.environmentId}/ai-connections/${crypto.randomUUID()}`,
  );
  const comparable = ({ instance: _, requestId: _r, ...rest }: Record<string, unknown>) => rest;
  expect(hidden.status).toBe(404);
  expect(comparable(hidden.body)).toEqual(comparable(absent.body));
});

test("a used connection is kept unless it is detached, and a primary slot is never detached", async () => {
  const main = await createConnection("main");
  const spare = await createConnection("spare");
  const resource = await createResource("user of both", { connectionName: "main", model: "a" }, {
    fallbackModels: [{ connectionName: "spare", model: "b" }],
  });
  const mainPath = `${base}/ai-connections/${main.connectionId}`;
  const sparePath = `${base}/ai-connections/${spare.connectionId}`;
  const reference = {
    resourceId: resource.resourceId,
    resourceName: "user of both",
    slot: "fallbackModels[0]",
  };
  expect((await plane.call("GET", `${sparePath}/references`)).body.data).toEqual([reference]);
  const refused = await plane.call("DELETE", sparePath);
  expect([refused.status, refused.body.code]).toEqual([409, "CONNECTION_IN_USE"]);
  expect(refused.body.references).toEqual([reference]);
  const provider = await plane.call("PATCH", sparePath, { provider: "echo", config: null });
  expect([provider.status, provider.body.code]).toEqual([409, "CONNECTION_IN_USE"]);
  expect((await plane.call("DELETE", `${sparePath}?detach=true`)).status).toBe(204);
  const freed = await plane.call("GET", `${base}/ai-resources/${resource.resourceId}`);
  expect(freed.body.fallbackModels).toEqual([]);
  const primary = await plane.call("DELETE", `${mainPath}?detach=true`);
  expect(primary.body).toMatchObject({
    code: "CONNECTION_IN_USE",
    references: [{ slot: "model" }],
  });
});

test("names of connections and resources cannot be taken for each other, either way", async () => {
  await createConnection("team");
  const resource = await plane.call("POST", `${base}/ai-resources`, {
    name: "Team/chat",
    model: { connectionName: "team", model: "a" },
  });
  expect([resource.status, resource.body.code]).toEqual([409, "NAME_CONFLICT"]);
  await createResource("future/chat", { connectionName: "team", model: "a" });
  const connection = await plane.call("POST", `${base}/ai-connections`, {
    name: "Future",
    provider: "echo",
  });
  expect([connection.status, connection.body.code]).toEqual([409, "NAME_CONFLICT"]);
});

test("default arguments keep their order and cannot set what every call sets", async () => {
  const defaultArgs = { temperature: 0.5, aaa: 1, nested: { z: 1, a: 2 } };
  const resource = await createResource("defaults", { connectionName: "echo", model: "echo" }, {
    defaultArgs,
  });
  expect(JSON.stringify(resource.defaultArgs)).toBe(JSON.stringify(defaultArgs));
  const path = `${base}/ai-resources/${resource.resourceId}`;
  for (const name of ["model", "stream", "vmx"]) {
    const refused = await plane.call("PATCH", path, { defaultArgs: { [name]: 1 } });
    expect(refused.body.errors).toEqual([
      expect.objectContaining({ path: `/defaultArgs/${name}` }),
    ]);
  }
  const large = await plane.call("PATCH", path, { defaultArgs: { x: "y".repeat(70_000) } });
  expect(large.status).toBe(400);
});

test("a patch merges default arguments: objects deeply, arrays whole, null clears", async () => {
  const resource = await createResource("merged", { connectionName: "echo", model: "echo" }, {
    defaultArgs: { temperature: 0.5, stop: ["a", "b"], user: null, nested: { z: 1, a: 2 } },
  });
  const path = `${base}/ai-resources/${resource.resourceId}`;
  const patched = async (defaultArgs: unknown) => {
    const { status, text, body } = await plane.call("PATCH", path, { defaultArgs });
    expect(status, text).toBe(200);
    return body.defaultArgs;
  };
  expect(resource.defaultArgs).toHaveProperty("user", null);
  expect(await patched({ temperature: null, stop: ["c"], nested: { z: { y: 3 } }, top_p: 1 }))
    .toEqual({ stop: ["c"], user: null, nested: { z: { y: 3 }, a: 2 }, top_p: 1 });
  expect(await patched({})).toHaveProperty("top_p", 1);
  expect(await patched(null)).toBeNull();
  expect(await patched({ seed: 1, user: null })).toEqual({ seed: 1 });
  const half = "y".repeat(40_000);
  await patched({ a: half });
  const large = await plane.call("PATCH", path, { defaultArgs: { b: half } });
  expect([large.status, large.body.errors[0].path]).toEqual([400, "/defaultArgs"]);
});

test("capacity limits are checked beyond their shape", async () => {
  const path = `${base}/ai-resources/${
    (await createResource("capacity", {
      connectionName: "echo",
      model: "echo",
    })).resourceId
  }`;
  const ok = await plane.call("PATCH", path, {
    capacity: [{ period: "minute", requests: 5 }, {
      period: "minute",
      tokens: 9,
      dimension: "source-ip",
    }],
  });
  expect(ok.body.capacity[0]).toEqual({
    period: "minute",
    requests: 5,
    tokens: null,
    enabled: true,
    dimension: null,
    dimensionField: null,
  });
  const zero = await plane.call("PATCH", path, { capacity: [{ period: "minute", requests: 0 }] });
  expect(zero.body.errors[0]).toMatchObject({ path: "/capacity/0/requests" });
  expect(zero.body.errors[0].message).toMatch(/null means no limit/i);
  for (
    const capacity of [
      [{ period: "minute" }],
      [{ period: "hour", requests: 1, dimension: "metadata" }],
      [{ period: "hour", requests: 1 }, { period: "hour", tokens: 1 }],
    ]
  ) expect((await plane.call("PATCH", path, { capacity })).status).toBe(400);
});

test("an API key shows its value once, is stored as a hash, and rolls with a grace", async () => {
  const created = await plane.call("POST", `${base}/api-keys`, { name: "ci", labels: ["team-a"] });
  expect(created.status, created.text).toBe(201);
  expect(created.headers.get("cache-control")).toBe("no-store");
  const { value, apiKeyId, maskedKey } = created.body;
  expect(value).toMatch(/^vmx_sk_[0-9A-Za-z]{49}$/);
  expect(maskedKey).toBe(`${value.slice(0, 12)}…${value.slice(-4)}`);
  const path = `${base}/api-keys/${apiKeyId}`;
  expect((await plane.call("GET", path)).text).not.toContain(value);
  expect(plane.loader.current().apiKeysByHash.get(hashSecret(value))?.name).toBe("ci");

  const rolled = await plane.call("POST", `${path}/roll`, { graceSeconds: 3600 });
  expect(rolled.status).toBe(200);
  const keys = plane.loader.current().apiKeysByHash;
  expect(keys.get(hashSecret(rolled.body.value))?.apiKeyId).toBe(apiKeyId);
  expect(keys.get(hashSecret(value))?.validUntil).toBeInstanceOf(Date);
  await plane.call("POST", `${path}/roll`);
  expect(plane.loader.current().apiKeysByHash.has(hashSecret(value))).toBe(false);
  expect((await plane.call("POST", `${path}/roll`, { graceSeconds: 5 })).status).toBe(400);

  const byLabel = await plane.call("GET", `${base}/api-keys?label=team-a`);
  expect(byLabel.body.data.map(({ name }: { name: string }) => name)).toEqual(["ci"]);
  expect((await plane.call("GET", `${base}/api-keys?label=team'--`)).body.data).toEqual([]);
});

test("keys are assigned to resources from either side, within the environment only", async () => {
  const key = (await plane.call("POST", `${base}/api-keys`, { name: "assigned" })).body;
  const resource = await createResource("guarded", { connectionName: "echo", model: "echo" }, {
    assignApiKeys: [key.apiKeyId],
  });
  expect(resource.assignApiKeys).toEqual([key.apiKeyId]);
  const keyPath = `${base}/api-keys/${key.apiKeyId}`;
  expect((await plane.call("GET", keyPath)).body.resources).toEqual([resource.resourceId]);
  const filtered = await plane.call("GET", `${base}/api-keys?resourceId=${resource.resourceId}`);
  expect(filtered.body.data).toHaveLength(1);
  expect((await plane.call("PATCH", keyPath, { resources: [] })).body.resources).toEqual([]);
  const path = `${base}/ai-resources/${resource.resourceId}`;
  expect((await plane.call("GET", path)).body.assignApiKeys).toEqual([]);
  const unknown = await plane.call("PATCH", path, { assignApiKeys: [crypto.randomUUID()] });
  expect([unknown.status, unknown.body.code]).toEqual([404, "API_KEY_NOT_FOUND"]);
  expect((await plane.call("DELETE", path)).status).toBe(204);
});

test("lists that grow come in pages that survive new rows; a damaged cursor is refused", async () => {
  for (let index = 0; index < 5; index++) {
    await plane.call("POST", `${base}/api-keys`, { name: `page ${index}` });
  }
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await plane.call(
      "GET",
      `${base}/api-keys?limit=2${cursor ? `&cursor=${cursor}` : ""}`,
    );
    names.push(...page.body.data.map(({ name }: { name: string }) => name));
    cursor = page.body.nextCursor;
    if (names.length === 2) await plane.call("POST", `${base}/api-keys`, { name: "meanwhile" });
  } while (cursor !== null);
  expect(names.slice(0, 5)).toEqual(["page 4", "page 3", "page 2", "page 1", "page 0"]);
  expect(new Set(names).size).toBe(names.length);
  expect(names).not.toContain("meanwhile");
  for (
    const bad of ["x", "W10", Buffer.from('["2020-01-01","a\' or 1=1"]').toString("base64url")]
  ) {
    const refused = await plane.call("GET", `${base}/api-keys?cursor=${bad}`);
    expect([refused.status, refused.body.code]).toEqual([400, "INVALID_CURSOR"]);
  }
});

test("a connection is tested before and after it is saved, and the result is kept", async () => {
  const unsaved = await plane.call("POST", `${base}/ai-connections/test`, { provider: "echo" });
  expect(unsaved.status, unsaved.text).toBe(200);
  expect(unsaved.body).toMatchObject({ ok: true });
  const connection = (await plane.call("POST", `${base}/ai-connections`, {
    name: "tested",
    provider: "openai",
    config: { apiKey: canary, baseUrl: "http://127.0.0.1:9/v1" },
  })).body;
  const path = `${base}/ai-connections/${connection.connectionId}`;
  const failed = await plane.call("POST", `${path}/test`);
  expect(failed.body).toMatchObject({ ok: false, latencyMs: expect.any(Number) });
  const after = (await plane.call("GET", path)).body;
  expect(after.lastTest).toMatchObject({ ok: false });
  expect(after.version).toBe(connection.version);
});

test("a connection's models come from the provider, or from what is allowed", async () => {
  const echo = (await plane.call("GET", `${base}/ai-connections?name=ECHO`)).body.data[0];
  const path = `${base}/ai-connections/${echo.connectionId}`;
  const models = await plane.call("GET", `${path}/models`);
  expect(models.status, models.text).toBe(200);
  expect(models.body.data.length).toBeGreaterThan(0);
});

test("each change leaves one line in the trail, without secrets", async () => {
  const connection = await createConnection("trailed");
  await plane.call("PATCH", `${base}/ai-connections/${connection.connectionId}`, {
    description: "new",
    config: { apiKey: "sk-another-canary-1234567890" },
  });
  const trail = await plane.call(
    "GET",
    `${base}/activity?entityType=ai-connection&entityId=${connection.connectionId}`,
  );
  expect(trail.body.data.map(({ action }: { action: string }) => action))
    .toEqual(["ai-connection:update", "ai-connection:create"]);
  expect(trail.body.data[0].diff).toEqual([
    { op: "replace", path: "/description", value: "new" },
    { op: "replace", path: "/config/apiKey", value: "changed" },
  ]);
  expect(trail.text).not.toMatch(/sk-another-canary|sk-canary/);
  expect((await plane.call("GET", "/api/v1/activity?limit=1")).body.data).toHaveLength(1);
});

test("no secret of this file is in any log line", () => {
  expect(plane.logged.join("\n")).not.toContain(canary);
});
