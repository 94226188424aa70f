import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootstrap } from "./bootstrap.ts";
import { createManagementApi } from "./api.ts";
import { adminToken, startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;

beforeAll(async () => {
  plane = await startTestManagement();
});
afterAll(() => plane.stop());

const workspaces = "/api/v1/workspaces";

test("a problem names type, status, code, path and request, and nothing of the inside", async () => {
  const answer = await plane.call("POST", workspaces, { name: 5, nmae: "x" });
  expect(answer.status).toBe(400);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body).toMatchObject({
    type: "/problems/VALIDATION_FAILED",
    title: "The input is not valid",
    status: 400,
    code: "VALIDATION_FAILED",
    instance: workspaces,
    requestId: answer.headers.get("x-vmx-request-id"),
  });
  expect(answer.body.errors.map(({ path }: { path: string }) => path).sort())
    .toEqual(["/name", "/nmae"]);
});

test("unknown paths, methods and content types have their own answers", async () => {
  const path = await plane.call("GET", "/api/v1/nothing");
  expect([path.status, path.body.code]).toEqual([404, "ROUTE_NOT_FOUND"]);
  expect((await plane.call("GET", `${workspaces}/`)).status).toBe(404);
  const method = await plane.call("DELETE", workspaces);
  expect([method.status, method.body.code]).toEqual([405, "METHOD_NOT_ALLOWED"]);
  expect(method.headers.get("allow")!.split(", ").sort()).toEqual(["GET", "HEAD", "POST"]);
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=utf-16",
    ]
  ) {
    const wrong = await plane.call("POST", workspaces, '{"name":"x"}', { "content-type": type });
    expect([wrong.status, wrong.body.code], type).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
  }
  const merge = { "content-type": "application/merge-patch+json" };
  expect((await plane.call("POST", workspaces, '{"name":"x"}', merge)).status).toBe(415);
  const patch = await plane.call(
    "PATCH",
    `${workspaces}/${plane.firstRun.workspaceId}`,
    "{}",
    merge,
  );
  expect(patch.status, patch.text).toBe(200);
});

test("bodies that are not sound JSON are refused before anything is built from them", async () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const wide = `{${Array.from({ length: 20_001 }, (_, index) => `"k${index}":1`).join(",")}}`;
  const bodies = [
    "",
    "{",
    "null",
    "[]",
    '"x"',
    "\ufeff{}",
    deep,
    wide,
    '{"name":"a","name":"b"}',
    '{"name":"a","n\\u0061me":"b"}',
    '{"name":"a\\u0000b"}',
    '{"name":"a\\ud800"}',
    '{"name":"a","__proto__":{"polluted":1}}',
    '{"name":"a","description":{"constructor":{"prototype":{}}}}',
    '{"name":1e309}',
    '{"name":"\\u202e"',
  ];
  for (const body of bodies) {
    const startedAt = performance.now();
    const answer = await plane.call("POST", workspaces, body);
    expect([answer.status, answer.body.code], body.slice(0, 60))
      .toEqual([400, "VALIDATION_FAILED"]);
    expect(performance.now() - startedAt).toBeLessThan(500);
  }
  const latin = await fetch(plane.url + workspaces, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: new Uint8Array([0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d]),
  });
  expect(latin.status).toBe(400);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("a body over two mebibytes is refused, announced or not", async () => {
  const large = JSON.stringify({ name: "x", description: "y".repeat(2 * 1024 * 1024) });
  const announced = await plane.call("POST", workspaces, large);
  expect([announced.status, announced.body.code]).toEqual([413, "BODY_TOO_LARGE"]);
  const { port } = new URL(plane.url);
  const status = await new Promise<number>((resolve, reject) => {
    const call = request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: workspaces,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    call.on("error", reject);
    call.write(large);
    call.end();
  });
  expect(status).toBe(413);
});

test("preconditions guard changes, and reads answer 304 when nothing is new", async () => {
  const created = await plane.call("POST", workspaces, { name: "guarded" });
  const path = `${workspaces}/${created.body.workspaceId}`;
  const same = await plane.call("GET", path, undefined, { "if-none-match": 'W/"1"' });
  expect([same.status, same.text]).toEqual([304, ""]);
  const ok = await plane.call("PATCH", path, { description: "2" }, { "if-match": '"1"' });
  expect([ok.status, ok.headers.get("etag")]).toEqual([200, '"2"']);
  for (const [method, body] of [["PATCH", { description: "3" }], ["DELETE", undefined]] as const) {
    const stale = await plane.call(method, path, body, { "if-match": '"1"' });
    expect([stale.status, stale.body.code, stale.body.currentVersion])
      .toEqual([412, "VERSION_MISMATCH", 2]);
  }
  expect((await plane.call("GET", path)).body.description).toBe("2");
  expect((await plane.call("DELETE", path, undefined, { "if-match": '"1", "2"' })).status).toBe(
    204,
  );
});

test("an idempotency key replays the first answer, masks its secret, and belongs to one request", async () => {
  const path = `${plane.environmentPath}/api-keys`;
  const headers = { "idempotency-key": "create key 1" };
  const first = await plane.call("POST", path, { name: "once" }, headers);
  expect(first.body.value).toMatch(/^vmx_sk_/);
  const second = await plane.call("POST", path, { name: "once" }, headers);
  expect(second.status).toBe(201);
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
  expect(second.body).toEqual({ ...first.body, value: "********" });
  const other = await plane.call("POST", path, { name: "twice" }, headers);
  expect([other.status, other.body.code]).toEqual([409, "IDEMPOTENCY_KEY_REUSED"]);
  const refusal = { "idempotency-key": "create key 2" };
  const taken = await plane.call("POST", path, { name: "once" }, refusal);
  const again = await plane.call("POST", path, { name: "once" }, refusal);
  expect([taken.status, again.status, again.body]).toEqual([409, 409, taken.body]);
  expect(
    (await plane.call("POST", path, { name: "x" }, { "idempotency-key": "x".repeat(256) })).status,
  )
    .toBe(400);
  plane.clock.offsetMs += 25 * 3_600_000;
  const later = await plane.call("POST", path, { name: "another day" }, headers);
  expect([later.status, later.headers.get("idempotency-replayed")]).toEqual([201, null]);
});

test("the same key sent twenty times at once makes one object", async () => {
  const answers = await Promise.all(
    Array.from(
      { length: 20 },
      () => plane.call("POST", workspaces, { name: "at once" }, { "idempotency-key": "burst" }),
    ),
  );
  const codes = answers.map(({ status, body }) => status === 201 ? "created" : body.code);
  expect(codes.filter((code) => code === "created").length).toBeGreaterThan(0);
  expect(codes.every((code) => code === "created" || code === "IDEMPOTENCY_IN_PROGRESS")).toBe(
    true,
  );
  const ids = new Set(
    answers.filter(({ status }) => status === 201).map(({ body }) => body.workspaceId),
  );
  expect(ids.size).toBe(1);
});

test("creations of one name at once end in one object and clear conflicts", async () => {
  const base = plane.environmentPath;
  const attempts: [string, object][] = [
    [workspaces, { name: "race" }],
    [`${base}/ai-connections`, { name: "race", provider: "echo" }],
    [`${base}/ai-resources`, { name: "race", model: { connectionName: "echo", model: "echo" } }],
    [`${base}/api-keys`, { name: "race" }],
  ];
  for (const [path, body] of attempts) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => plane.call("POST", path, body)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  }
});

test("every answer shows the revision that holds the change it speaks of", async () => {
  const before = Number((await plane.call("GET", workspaces)).headers.get("x-vmx-revision"));
  const created = await plane.call("POST", workspaces, { name: "revision" });
  expect(Number(created.headers.get("x-vmx-revision"))).toBeGreaterThan(before);
  const { workspaceId } = created.body;
  expect((await plane.call("GET", `${workspaces}/${workspaceId}`)).status).toBe(200);
  expect(plane.loader.current().workspaces.get(workspaceId)?.name).toBe("revision");
});

test("the first run happens once, however many processes start together", async () => {
  const database = await plane.testDatabase.open("race");
  const parts = {
    database,
    host: plane.host,
    encryption: () => plane.host.get("encryptions", "libsodium"),
    config: {
      bootstrap: { adminEmail: "a@b.example", adminPassword: undefined, apiKey: undefined },
    },
    environment: {},
    log: { debug() {}, info() {}, warn() {}, error() {} },
  };
  const runs = await Promise.all([1, 2, 3].map(() => bootstrap(parts)));
  const [run, ...others] = runs.filter((result) => result !== undefined);
  expect(others).toEqual([]);
  expect(run!.administrator.password).toMatch(/^\w{20}$/);
  expect(await bootstrap(parts)).toBeUndefined();
  const counts = await database.em().execute<{ users: string; roles: string; keys: string }[]>(
    `select (select count(*) from race.users) as users, (select count(*) from race.roles) as roles,
            (select count(*) from race.api_keys) as keys`,
  );
  expect(counts[0]).toEqual({ users: "1", roles: "3", keys: "1" });
  await database.close();
});

test("the served document, the committed one and the router speak of the same operations", async () => {
  const file = new URL("../../schemas/openapi.json", import.meta.url);
  const openApi = JSON.parse(await readFile(file, "utf8")) as { paths: object };
  const served = await plane.send("GET", "/api/v1/openapi.json");
  expect(served.status).toBe(200);
  const operations = (document: { paths: object }) =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path}`)
    ).sort();
  expect(operations(served.body)).toEqual(operations(openApi));
  const { routes } = createManagementApi("x");
  expect(operations(openApi))
    .toEqual(routes.map(({ method, path }) => `${method.toLowerCase()} ${path}`).sort());
  const ids = routes.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const text = JSON.stringify(served.body);
  for (const [reference] of text.matchAll(/#\/components\/schemas\/\w+/g)) {
    expect(served.body.components.schemas).toHaveProperty(reference.split("/").pop()!);
  }
});

test("the readable documentation loads nothing and runs nothing", async () => {
  const page = await plane.send("GET", "/api/docs");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toMatch(
    /^default-src 'none'; style-src 'sha256-/,
  );
  expect(page.text).toContain("createAiConnection");
  expect(page.text).not.toMatch(/<script|https?:\/\/(?!json-schema)|src=|@import/);
});

test("with the database away writes answer 503, reads what the process holds, and who is known stays known", async () => {
  const login = await plane.send("POST", "/api/v1/auth/login", {
    username: "admin",
    password: "correct horse battery staple",
  });
  const signedIn = { cookie: login.headers.get("set-cookie")!.split(";")[0]! };
  const { workspaceId, environmentId } = plane.firstRun;
  const environment = `${workspaces}/${workspaceId}/environments/${environmentId}`;
  const held = [
    `${workspaces}?includesEnvironments=true&includesUsers=true`,
    `${environment}/ai-connections`,
    `${environment}/ai-resources`,
    `${environment}/api-keys?limit=1`,
    "/api/v1/users?limit=1",
    "/api/v1/roles",
  ];
  const before = await Promise.all(held.map((path) => plane.call("GET", path)));
  expect(before.map(({ status }) => status)).toEqual(held.map(() => 200));
  await plane.testDatabase.die();
  await expect(plane.database.ping()).rejects.toThrow();
  const write = await plane.call("POST", workspaces, { name: "never" });
  expect([write.status, write.body.code]).toEqual([503, "DATABASE_UNAVAILABLE"]);
  expect(write.body.detail).not.toMatch(/sql|pool|socket/i);
  // The configuration is read from what the process holds; what it does not hold is not made up.
  const after = await Promise.all(held.map((path) => plane.call("GET", path)));
  // What is merely observed, such as the last login, is no configuration and may be older.
  const configured = (answers: typeof before) =>
    answers.map((
      { status, text },
    ) => [status, text.replaceAll(/"last\w+At":("[^"]+"|null),/g, "")]);
  expect(configured(after)).toEqual(configured(before));
  for (
    const path of ["/api/v1/activity", `${environment}/audit`, `${environment}/api-keys?name=a`]
  ) {
    const read = await plane.call("GET", path);
    expect([path, read.status, read.body.code]).toEqual([path, 503, "DATABASE_UNAVAILABLE"]);
  }
  for (const path of ["/api/v1/ai-providers", "/api/v1/plugins", "/api/v1/roles/permissions"]) {
    expect((await plane.call("GET", path)).status, path).toBe(200);
  }
  const session = await plane.send("GET", "/api/v1/ai-providers", undefined, signedIn);
  expect(session.status, session.text).toBe(200);
  plane.clock.offsetMs += 60_000;
  const later = await plane.send("GET", "/api/v1/ai-providers", undefined, signedIn);
  expect(later.status, later.text).toBe(200);
  const system = await plane.call("GET", "/api/v1/system");
  expect(system.body.dependencies).toContainEqual(
    expect.objectContaining({ name: "database", state: "away" }),
  );
});
