import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createManagementApi } from "./api.ts";
import {
  createMatrixWorld,
  type MatrixWorld,
  type Operation,
  readOperations,
} from "./testing-matrix.ts";
import { startTestManagement, type TestManagement } from "./testing.ts";

/** Operations with a body; what they do is never reached. */
const written = readOperations().filter(({ method }) => method !== "GET" && method !== "DELETE");
const all = readOperations();
let plane: TestManagement;
let world: MatrixWorld;
let admin: Readonly<Record<string, string>>;
let before: Record<string, string>;

beforeAll(async () => {
  plane = await startTestManagement();
  world = await createMatrixWorld(plane);
  admin = world.callers.find(({ name }) => name === "admin")!.headers;
  before = await world.digest();
});
afterAll(() => plane.stop());

const bodyCodes = new Map(
  createManagementApi("hostile").routes.map(({ operationId, bodyCode }) => [operationId, bodyCode]),
);

const send = (operation: Operation, body: string, path = world.pathTo(operation, "own")) =>
  plane.send(operation.method, path, body, {
    ...admin,
    // A route that takes no body must not mind one; one that does must read this as JSON.
    "content-type": "application/json",
  });

async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>) {
  const queue = [...items];
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  }));
}

/** Columns of every table, which no caller may assign through a body that does not offer them. */
async function columns(): Promise<string[]> {
  const rows = await plane.database.em().execute<{ name: string }[]>(
    "select distinct column_name as name from information_schema.columns where table_schema = ?",
    [plane.database.schema],
  );
  return rows.map(({ name }) =>
    name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  );
}

test("no operation takes a column that its body does not offer", { timeout: 60_000 }, async () => {
  const names = await columns();
  await inTurns(written, async (operation) => {
    const closed = offeredMembers(operation);
    if (!closed) return;
    const foreign = names.filter((name) => !closed.has(name));
    const body = Object.fromEntries(foreign.map((name) => [name, "assigned"]));
    const answer = await send(operation, JSON.stringify(body));
    const told = `${operation.operationId}: ${answer.status} ${answer.text.slice(0, 200)}`;
    expect(answer.status, told).toBe(400);
    expect(answer.body.code, told).toBe(
      bodyCodes.get(operation.operationId) ?? "VALIDATION_FAILED",
    );
    // Each by itself is refused as well, not only all of them together.
    for (const name of ["version", "createdBy", "revision"].filter((one) => !closed.has(one))) {
      expect((await send(operation, JSON.stringify({ [name]: 1 }))).status, told).toBe(400);
    }
  });
  expect(await world.digest()).toEqual(before);
});

test("names that reach prototypes are refused at every depth of every body", async () => {
  const bodies = [
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"name":"x","config":{"__proto__":{"polluted":true}}}',
    '{"settings":{"a":[{"__proto__":{"polluted":true}}]}}',
    '{"\\u005f_proto__":{"polluted":true}}',
  ];
  await inTurns(written.filter((operation) => offeredMembers(operation)), async (operation) => {
    for (const body of bodies) {
      const answer = await send(operation, body);
      expect(answer.status, `${operation.operationId} ${body} ${answer.text}`).toBe(400);
    }
  });
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(await world.digest()).toEqual(before);
});

test("operators of query languages stand for nothing where a value belongs", async () => {
  const evil = ['{"$ne":null}', '{"$gt":""}', '{"$or":[{}]}', '[{"raw":"1=1"}]', '{"__raw":"1=1"}'];
  await inTurns(written, async (operation) => {
    const members = offeredMembers(operation);
    for (const name of [...members ?? []].slice(0, 2)) {
      for (const value of evil) {
        const answer = await send(operation, `{${JSON.stringify(name)}:${value}}`);
        const told = `${operation.operationId} ${name} ${value}: ${answer.text.slice(0, 200)}`;
        expect(answer.status, told).toBeLessThan(500);
        if (answer.status < 300) {
          // Free objects, such as arguments of a model, may hold anything; the store is compared below.
          expect(["config", "settings", "defaultArgs", "resource", "sample"], told).toContain(name);
        }
      }
    }
  });
});

test(
  "paths with tricks lead to no other operation than they name",
  { timeout: 60_000 },
  async () => {
    const before = await world.digest();
    const { hostname, port } = new URL(plane.url);
    const ask = (method: string, target: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname, () =>
          socket.write(
            `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
            "latin1",
          ));
        let answer = "";
        socket.setTimeout(5_000, () => socket.destroy());
        socket.on("data", (chunk) => answer += chunk.toString("latin1"));
        socket.on("close", () => resolve(answer));
        socket.on("error", reject);
      });
    // Nobody is signed in: whatever reaches an operation that is not public answers 401, all else 4xx.
    await inTurns(all.filter(({ access }) => access !== "public"), async (operation) => {
      const path = world.pathTo(operation, "own");
      const tricks = [
        `/api/v1/auth/options/..${path.slice("/api/v1".length)}`,
        `/api/v1/auth/options/%2e%2e${path.slice("/api/v1".length)}`,
        `/api/v1/auth/options/..;${path.slice("/api/v1".length)}`,
        `/${path}`,
        path.replace("/api/v1", "/api//v1"),
        path.replace("/api/v1", "/API/V1"),
        `${path}/`,
        `${path}%2f`,
        `${path}%00`,
        `${path};x=1`,
        path.replaceAll("/", "\\"),
        path.replace("/api", "/%61pi"),
        `http://evil.example${path}`,
      ];
      for (const target of tricks) {
        const answer = await ask(operation.method, target);
        const told = `${operation.method} ${target}: ${answer.slice(0, 120)}`;
        expect(answer, told).toMatch(/^HTTP\/1\.1 4\d\d /);
      }
    });
    expect(await world.digest()).toEqual(before);
  },
);

const samples = [
  "'; drop table users; --",
  "' or '1'='1",
  "x') returning *; --",
  "$1",
  "?",
  ":name",
  "\\'; select pg_sleep(5); --",
  "%' and 1=1 --",
  "${7*7} {{7*7}} <%= 7*7 %>",
  "<script>alert(1)</script>",
  "\u202etxt.exe",
  "Robert\u2028new line",
  "e\u0301",
  "../../etc/passwd",
  "=cmd|' /C calc'!A0",
];

test("names that look like SQL, markup or log lines are names, and find only themselves", async () => {
  const list = `${plane.environmentPath}/api-keys`;
  const logged = plane.logged.length;
  for (const [index, sample] of samples.entries()) {
    const name = `${sample} ${index}`;
    const made = await plane.call("POST", list, { name });
    expect(made.status, made.text).toBe(201);
    expect(made.body.name).toBe(name.normalize("NFC").trim());
    const found = await plane.call("GET", `${list}?name=${encodeURIComponent(name)}`);
    expect(found.body.data.map((key: { apiKeyId: string }) => key.apiKeyId))
      .toEqual([made.body.apiKeyId]);
    expect((await plane.call("GET", `${list}?label=${encodeURIComponent(sample)}`)).body.data)
      .toEqual([]);
    expect((await plane.call("GET", `/api/v1/users?q=${encodeURIComponent(sample)}`)).status)
      .toBe(200);
    const cursor = await plane.call("GET", `${list}?cursor=${encodeURIComponent(sample)}`);
    expect(cursor.body.code).toBe("INVALID_CURSOR");
    const bearer = { authorization: `Bearer ${encodeURIComponent(sample)}` };
    expect((await plane.send("GET", "/api/v1/me", undefined, bearer)).status).toBe(401);
    const login = await plane.send("POST", "/api/v1/auth/login", {
      username: sample,
      password: sample,
    });
    expect([401, 429]).toContain(login.status);
  }
  for (const name of ["a\nb", "a\rb", "a\0b", "a\x1b[31mb", "\x85"]) {
    expect((await plane.call("POST", list, { name })).status, JSON.stringify(name)).toBe(400);
  }
  // What was typed as a name or password at the sign-in page may be a password: no line repeats it.
  const lines = plane.logged.slice(logged).join("\n");
  for (const sample of samples.slice(0, 3)) expect(lines).not.toContain(sample);
});

/** Members the closed body of an operation offers; undefined for one without a closed body. */
function offeredMembers({ body }: Operation): ReadonlySet<string> | undefined {
  const { properties, additionalProperties } = (body ?? {}) as {
    properties?: Record<string, unknown>;
    additionalProperties?: unknown;
  };
  return properties && additionalProperties === false
    ? new Set(Object.keys(properties))
    : undefined;
}
