import { afterAll, beforeAll, expect, test } from "vitest";
import { createInsert } from "../records/insert.ts";
import { createPartitions } from "../records/partitions.ts";
import { encodePayload } from "../records/payload/encoding.ts";
import type { AuditRecord } from "../records/record.ts";
import { recordText } from "../records/record-text.ts";
import { sampleRecord } from "../records/testing.ts";
import { silentLog } from "../store/testing.ts";
import { startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let path: string;
let connectionId: string;
const arrivedAt = Date.now() - 3_600_000;
const body = { model: "old-name", messages: [{ role: "user", content: "where is my order" }] };
const routing = {
  evaluated: true,
  durationMs: 1,
  revision: 1,
  selected: null,
  routes: [{
    routeId: "half",
    description: null,
    enabled: true,
    mode: "UI",
    operator: "AND",
    result: "matched",
    traffic: 50,
    draw: 12.5,
    durationUs: 1,
  }],
} as AuditRecord["routing"];

beforeAll(async () => {
  plane = await startTestManagement();
  const base = plane.environmentPath;
  const { body: connections } = await plane.call("GET", `${base}/ai-connections?name=echo`);
  connectionId = connections.data[0].connectionId;
  const route = (id: string, expression: string, traffic?: number) => ({
    id,
    expression,
    then: { connectionId, model: id, ...(traffic === undefined ? {} : { traffic }) },
  });
  const resource = await plane.call("POST", `${base}/ai-resources`, {
    name: "sampled",
    model: { connectionId, model: "echo" },
    routing: {
      enabled: true,
      conditions: [
        route("half", "metadata.tier == 'gold'", 50),
        route("asked", "request.lastUserMessage.content == 'where is my order'"),
      ],
    },
  });
  expect(resource.status, resource.text).toBe(201);
  path = `${base}/ai-resources/${resource.body.resourceId}/route-test`;
});

afterAll(() => plane.stop());

async function store(
  record: Partial<AuditRecord>,
  state: Record<string, string>,
  members: object | undefined,
): Promise<string> {
  const { workspaceId, environmentId } = plane.firstRun;
  const row = sampleRecord(arrivedAt, {
    workspaceId,
    environmentId,
    payloadCapture: members ? "full" : "none",
    endpoint: "CHAT_COMPLETIONS",
    metadata: { tier: "gold" },
    apiKeyId: null,
    routing,
    ...record,
  });
  const { statements } = plane.database;
  const tables = { audit: ["audit", "audit_payloads"], usage: [] };
  const partitions = createPartitions(statements, tables, silentLog);
  const payload = members && { ...await encodePayload(JSON.stringify(members)), state };
  await createInsert(statements, partitions, [], () => {})([
    {
      requestId: row.requestId,
      row: Buffer.from(recordText(row)),
      ...(payload ? { payload } : {}),
    },
  ]);
  return row.requestId;
}

const stored = { requestBody: "stored", mergedBody: "stored" };
const ask = (given: object) => plane.call("POST", path, given);

test("a stored request is asked again: its body, its metadata, its time and its draws", async () => {
  const auditRequestId = await store({}, stored, { requestBody: body, mergedBody: body });
  const { status, body: told, text } = await ask({ auditRequestId });
  expect(status, text).toBe(200);
  expect(told.mergedBody).toEqual({ ...body, model: "sampled" });
  expect(told.trace.routes[0]).toMatchObject({ routeId: "half", result: "matched", draw: 12.5 });
  const now = await ask({
    auditRequestId,
    resource: {
      routing: {
        conditions: [{
          expression: `now.hour == ${new Date(arrivedAt).getUTCHours()}`,
          action: "BLOCK",
        }],
      },
    },
  });
  expect(now.body.trace.routes[0]).toMatchObject({ result: "matched" });
});

test("what is sent beside a stored request counts before it", async () => {
  const auditRequestId = await store({}, stored, { requestBody: body });
  const other = { messages: [{ role: "user", content: "hello" }] };
  const asked = await ask({
    auditRequestId,
    body: other,
    headers: { "x-vmx-metadata-tier": "silver" },
  });
  expect(asked.body.mergedBody).toMatchObject(other);
  expect(asked.body.trace.routes[0]).toMatchObject({ result: "not_matched" });
  const drawn = await ask({ auditRequestId, assume: { draws: { half: 99 } } });
  expect(drawn.body.trace.routes[0]).toMatchObject({ result: "traffic_miss" });
});

test.each([
  ["switched off", {}, {}, undefined, "off by policy"],
  [
    "only measured",
    {},
    { requestBody: "stored", mergedBody: "off by policy" },
    { requestBody: { messages: 1 } },
    "off by policy",
  ],
  [
    "cut",
    {},
    { requestBody: "truncated (9/99 bytes)" },
    { requestBody: '{"messag' },
    "truncated (9/99 bytes)",
  ],
  ["of no routed endpoint", { endpoint: "ELSEWHERE" }, stored, { requestBody: body }, "ELSEWHERE"],
])(
  "a request whose body was %s is no sample, and why is said",
  async (_what, record, state, members, reason) => {
    const auditRequestId = await store(record, state, members);
    const { status, body: problem } = await ask({ auditRequestId });
    expect([status, problem.code, problem.errors[0].path]).toEqual([
      400,
      "VALIDATION_FAILED",
      "/auditRequestId",
    ]);
    expect(problem.detail).toContain(reason);
  },
);

test("an unknown request does not exist, and without one a body and its dialect are needed", async () => {
  const unknown = await ask({ auditRequestId: crypto.randomUUID() });
  expect([unknown.status, unknown.body.code]).toEqual([404, "AUDIT_ROW_NOT_FOUND"]);
  // Of another environment is as unknown as none.
  const elsewhere = await store(
    { environmentId: crypto.randomUUID() },
    stored,
    { requestBody: body, mergedBody: body },
  );
  const foreign = await ask({ auditRequestId: elsewhere });
  expect({ ...foreign.body, requestId: "" }).toEqual({ ...unknown.body, requestId: "" });
  expect((await ask({ body })).body.errors[0]).toMatchObject({ path: "/dialect" });
  expect((await ask({ dialect: "openai-chat" })).body.errors[0]).toMatchObject({ path: "/body" });
});

test("who may not read payloads cannot ask with them", async () => {
  const auditRequestId = await store({}, stored, { requestBody: body });
  const statement = (...actions: string[]) => ({ effect: "allow", actions, resources: ["*"] });
  const send = async (...actions: string[]) => {
    const token = await plane.call("POST", "/api/v1/me/tokens", {
      name: actions.join(),
      policy: { statements: [statement(...actions)] },
    });
    expect(token.status, token.text).toBe(201);
    const { text, status } = await plane.send("POST", path, { auditRequestId }, {
      authorization: `Bearer ${token.body.token ?? token.body.value}`,
    });
    return [status, JSON.parse(text).action];
  };
  const needed = ["workspace:get", "environment:get", "ai-resource:get", "audit:get"];
  expect(await send(...needed)).toEqual([403, "audit:read-payload"]);
  expect(await send(...needed, "audit:read-payload")).toEqual([200, undefined]);
});
