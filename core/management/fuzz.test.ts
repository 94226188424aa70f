import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import type { TObject, TSchema } from "typebox";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createManagementApi } from "./api.ts";
import type { Route } from "./route.ts";
import { type Answer, startTestManagement, type TestManagement } from "./testing.ts";

const { routes } = createManagementApi("fuzz");
const cases = 20;
let plane: TestManagement;
let ids: Record<string, string>;

beforeAll(async () => {
  plane = await startTestManagement();
  const base = plane.environmentPath;
  const first = async (path: string, name: string): Promise<string> =>
    (await plane.call("GET", base + path)).body.data[0][name];
  const other = await plane.call("POST", "/api/v1/users", {
    username: "target",
    email: "target@example.com",
    firstName: "T",
    lastName: "T",
  });
  ids = {
    workspaceId: plane.firstRun.workspaceId,
    environmentId: plane.firstRun.environmentId,
    connectionId: await first("/ai-connections", "connectionId"),
    resourceId: await first("/ai-resources", "resourceId"),
    apiKeyId: await first("/api-keys", "apiKeyId"),
    userId: other.body.userId,
    roleId: (await plane.call("GET", "/api/v1/roles")).body.data[0].roleId,
    pluginId: encodeURIComponent("@vmx/provider-echo"),
    tokenId: crypto.randomUUID(),
  };
}, 30_000);
afterAll(() => plane.stop());

const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    0,
    -1,
    0.5,
    1e308,
    2 ** 53,
    true,
    [],
    {},
    [[]],
    "x".repeat(5000),
    "' or 1=1 --",
    "${7*7}",
    "../../etc/passwd",
    "\u202e\u200b",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    { $ne: null },
    { $gt: "" },
    "00000000-0000-0000-0000-000000000000",
  ),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Members whose text must mean something for a creation to succeed. */
const meaningful: Readonly<Record<string, fc.Arbitrary<string>>> = {
  provider: fc.constantFrom("echo", "openai"),
  connectionName: fc.constant("echo"),
  dialect: fc.constantFrom("openai-chat", "anthropic-messages"),
  expression: fc.constantFrom("hasTools", "errorRate(5) > 20 || tokens.input < 9", "1 +"),
  username: fc.stringMatching(/^[a-z0-9._@+-]{1,20}$/),
  email: fc.stringMatching(/^[a-z]{1,12}$/).map((name) => `${name}@example.com`),
  password: fc.constant("a phrase for the fuzz alone"),
};

/** Values a schema allows, as far as types, enums, lengths and bounds go. */
function valid(schema: TSchema, member = ""): fc.Arbitrary<unknown> {
  const node = schema as Record<string, unknown>;
  if (node.type === "string" && meaningful[member]) return meaningful[member];
  if (Array.isArray(node.enum)) return fc.constantFrom(...node.enum as unknown[]);
  if (Array.isArray(node.anyOf)) {
    return fc.oneof(...(node.anyOf as TSchema[]).map((branch) => valid(branch, member)));
  }
  if (node.type === "null") return fc.constant(null);
  if (node.type === "boolean") return fc.boolean();
  if (node.type === "integer" || node.type === "number") {
    const max = Math.min(Number(node.maximum ?? 1e6), Number.MAX_SAFE_INTEGER);
    return fc.integer({ min: Number(node.minimum ?? -1e6), max });
  }
  if (node.type === "array") {
    return fc.array(valid(node.items as TSchema), { maxLength: 3 });
  }
  if (member === "config") {
    return fc.constantFrom({}, { label: "x" }, { apiKey: "sk-fuzz-0123456789" });
  }
  if (member === "connectionId") {
    return fc.constantFrom(ids.connectionId, ids.connectionId, ids.userId);
  }
  if (member === "roleIds") return fc.constantFrom([], [ids.roleId]);
  if (node.type === "object") {
    const properties = Object.entries((node.properties ?? {}) as Record<string, TSchema>);
    const required = (node.required ?? []) as string[];
    return fc.record(
      Object.fromEntries(properties.map(([name, below]) => [name, valid(below, name)])),
      { requiredKeys: required },
    );
  }
  if (node.format === "uuid") return fc.constantFrom(...Object.values(ids), crypto.randomUUID());
  if (node.format === "date-time") {
    return fc.constantFrom("2030-01-01T00:00:00Z", "2031-02-03T04:05:06.789+02:00");
  }
  if (node.format === "email") return fc.constant("somebody@example.com");
  if (node.format === "uri") return fc.constant("https://example.com/a.png");
  return fc.oneof(
    fc.string({ minLength: Number(node.minLength ?? 0), maxLength: 12 }),
    fc.constantFrom("echo", "allow", "*", "workspace:*", "user:get"),
  );
}

/** A valid value with something broken: a member missing, added, of another type, or at its edge. */
function broken(schema: TSchema): fc.Arbitrary<unknown> {
  const names = Object.keys((schema as TObject).properties ?? {});
  const columns = [
    "version",
    "createdBy",
    "hash",
    "revision",
    "workspaceId",
    "builtIn",
    "passwordHash",
  ];
  return fc.oneof(
    nasty,
    fc.tuple(valid(schema), fc.constantFrom(...names, ...columns), nasty)
      .map(([value, name, evil]) => ({ ...(value as object), [name]: evil })),
    fc.tuple(valid(schema), fc.constantFrom("", ...names)).map(([value, name]) => {
      const { [name]: _, ...rest } = value as Record<string, unknown>;
      return rest;
    }),
  );
}

function pathOf(route: Route, random: Record<string, string> = {}): string {
  return route.path.replace(/\{(\w+)\}/g, (_, name: string) => random[name] ?? ids[name]!);
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);

function judge(route: Route, answer: Answer, sent: string): void {
  const told = `${route.method} ${route.path} ${sent.slice(0, 300)} -> ${answer.status} ${
    answer.text.slice(0, 300)
  }`;
  expect(answer.status, told).toBeLessThan(500);
  if (answer.status >= 400) {
    expect(answer.headers.get("content-type"), told).toBe("application/problem+json");
    return;
  }
  expect(answer.status, told).toBe(route.status);
  const type = answer.headers.get("content-type");
  if (route.events && type?.startsWith("text/event-stream")) return;
  if (route.answerTypes) {
    expect(route.answerTypes.some((one) => type?.startsWith(one)), told).toBe(true);
    return;
  }
  if (!route.answer) return;
  const validate = ajv.compile(route.answer);
  expect(validate(answer.body), `${told} ${ajv.errorsText(validate.errors)}`).toBe(true);
}

// These end the rights or the objects the other cases stand on; the hand-written tests cover them.
const spared = new Set(["logout", "updatePlugin", "putPlugin"]);
const deletions = routes.filter(({ method }) => method === "DELETE");
const written = routes.filter(({ method, body, operationId }) =>
  body && method !== "PUT" && !spared.has(operationId)
);
const read = routes.filter(({ method }) => method === "GET");

test.each(written.map((route) => [route.operationId, route] as const))(
  "%s answers any body without failing, and only as it promised",
  { timeout: 60_000 },
  async (_name, route) => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(valid(route.body!), broken(route.body!)), async (body) => {
        const text = JSON.stringify(body);
        if (text === undefined) return;
        // Logins are limited; the limit is another test's subject.
        plane.clock.offsetMs += 3_600_000 / 2;
        judge(route, await plane.call(route.method, pathOf(route), text), text);
      }),
      { numRuns: cases, endOnFailure: true },
    );
  },
);

test.each(read.map((route) => [route.operationId, route] as const))(
  "%s answers any query and any id without failing, and only as it promised",
  { timeout: 60_000 },
  async (_name, route) => {
    judge(route, await plane.call("GET", pathOf(route)), "");
    const names = Object.keys(route.query?.properties ?? {});
    const value = fc.oneof(
      fc.constantFrom(
        "true",
        "1",
        "-1",
        "1e9",
        "501",
        "[object Object]",
        "2030-01-01T00:00:00Z",
        "%00",
      ),
      fc.string({ unit: "grapheme", maxLength: 30 }),
    );
    const query = fc.array(fc.tuple(fc.constantFrom("unknown", "name[$ne]", ...names), value), {
      maxLength: 3,
    });
    const id = fc.constantFrom(
      ...Object.values(ids),
      crypto.randomUUID(),
      "1",
      "%27",
      "..%2f..",
      "%00",
      "%E0%A4%A",
      "x".repeat(3000),
    );
    await fc.assert(
      fc.asyncProperty(query, id, fc.boolean(), async (pairs, strange, replace) => {
        const [, last] = /\{(\w+)\}(?!.*\{)/.exec(route.path) ?? [];
        const path = pathOf(route, replace && last ? { [last]: strange } : {});
        const text = `${path}?${new URLSearchParams(pairs)}`;
        judge(route, await plane.call("GET", text), text);
      }),
      { numRuns: cases, endOnFailure: true },
    );
  },
);

test.each(deletions.map((route) => [route.operationId, route] as const))(
  "%s of what does not exist is a clear 404",
  async (_name, route) => {
    const [, last] = /\{(\w+)\}(?!.*\{)/.exec(route.path)!;
    for (const id of [crypto.randomUUID(), "nonsense", "%00"]) {
      const answer = await plane.call("DELETE", pathOf(route, { [last!]: id }));
      expect(answer.status, answer.text).toBe(404);
    }
  },
);

test("nothing reached a prototype", () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
});
