import { afterAll, beforeAll, expect, test } from "vitest";
import type { PolicyView } from "../store/snapshot.ts";
import { createPerson } from "./testing-people.ts";
import { type Answer, startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let roleIds: Record<string, string>;

beforeAll(async () => {
  plane = await startTestManagement();
  const { data } = (await plane.call("GET", "/api/v1/roles")).body;
  roleIds = Object.fromEntries(
    data.map(({ name, roleId }: { name: string; roleId: string }) => [name, roleId]),
  );
});
afterAll(() => plane.stop());

const allow = (actions: string[], resources: string[]): PolicyView => ({
  statements: [{ effect: "allow", actions, resources }],
});
const deny = (actions: string[], resources: string[]) => ({
  effect: "deny" as const,
  actions,
  resources,
});
const told = ({ status, body }: Answer) => [status, body?.code];
const roleKeeper = allow(["role:*", "user:*"], ["*"]);

let names = 0;
async function createRole(policy: PolicyView, name = `role ${++names}`): Promise<string> {
  const made = await plane.call("POST", "/api/v1/roles", { name, policy });
  expect(made.status, made.text).toBe(201);
  return made.body.roleId;
}

test("a role is created, read, changed with its version, listed and deleted", async () => {
  const policy = { statements: [{ effect: "ALLOW", actions: ["*:get"], resources: ["*"] }] };
  const made = await plane.call("POST", "/api/v1/roles", { name: "  Viewer ", policy });
  expect(made.status, made.text).toBe(201);
  expect(made.body).toMatchObject({
    name: "Viewer",
    builtIn: false,
    membersCount: 0,
    policy: { statements: [{ effect: "allow" }] },
  });
  const path = `/api/v1/roles/${made.body.roleId}`;
  const stale = await plane.call("PATCH", path, { description: "x" }, { "if-match": '"7"' });
  expect(told(stale)).toEqual([412, "VERSION_MISMATCH"]);
  const changed = await plane.call("PATCH", path, { description: "reads" }, {
    "if-match": made.headers.get("etag")!,
  });
  expect(changed.body).toMatchObject({ description: "reads", version: 2 });
  const taken = await plane.call("POST", "/api/v1/roles", { name: "VIEWER", policy });
  expect(told(taken)).toEqual([409, "ROLE_ALREADY_EXISTS"]);
  const wrong = await plane.call("PATCH", path, { policy: allow(["rolle:get"], ["*"]) });
  expect(told(wrong)).toEqual([400, "POLICY_INVALID"]);
  expect(wrong.body.errors[0].path).toBe("/policy/statements/0/actions/0");
  expect((await plane.call("GET", "/api/v1/roles?name=viewer")).body.data).toHaveLength(1);
  expect((await plane.call("DELETE", path)).status).toBe(204);
  expect(told(await plane.call("GET", path))).toEqual([404, "ROLE_NOT_FOUND"]);
  const trail = await plane.call("GET", `/api/v1/activity?entityId=${made.body.roleId}`);
  expect(trail.body.data.map(({ action }: { action: string }) => action))
    .toEqual(["role:delete", "role:update", "role:create"]);
});

test("built-in roles can be given and taken, but neither changed nor deleted", async () => {
  for (const name of ["admin", "power-user", "read-only"]) {
    const path = `/api/v1/roles/${roleIds[name]}`;
    const patched = await plane.call("PATCH", path, { description: "mine" });
    expect(told(patched)).toEqual([409, "BUILT_IN_ROLE"]);
    expect(told(await plane.call("DELETE", `${path}?detach=true`))).toEqual([409, "BUILT_IN_ROLE"]);
  }
});

test("a role is given and taken at once, repetition does no harm, and strangers are named", async () => {
  const roleId = await createRole(allow(["workspace:create"], ["workspace"]));
  const path = `/api/v1/roles/${roleId}`;
  const person = await createPerson(plane);
  const create = () => person.call("POST", "/api/v1/workspaces", { name: `w${++names}` });
  expect(told(await create())).toEqual([403, "NOT_AUTHORIZED"]);
  const users = { userIds: [person.userId] };
  for (let round = 0; round < 2; round++) {
    expect((await plane.call("POST", `${path}/assign`, users)).status).toBe(204);
  }
  expect((await create()).status).toBe(201);
  const members = (await plane.call("GET", `${path}/members`)).body.data;
  expect(members).toMatchObject([{ roleId, userId: person.userId, name: person.username }]);
  expect(members[0].assignedBy).not.toBeNull();

  const strange = crypto.randomUUID();
  const unknown = await plane.call("POST", `${path}/assign`, { userIds: [strange] });
  expect(told(unknown)).toEqual([404, "USER_NOT_FOUND"]);
  expect(unknown.body.errors[0].path).toBe("/userIds/0");

  const inUse = await plane.call("DELETE", path);
  expect(told(inUse)).toEqual([409, "ROLE_IN_USE"]);
  expect((await plane.call("POST", `${path}/unassign`, users)).status).toBe(204);
  expect((await plane.call("POST", `${path}/unassign`, users)).status).toBe(204);
  expect((await create()).status).toBe(403);
  await plane.call("POST", `${path}/assign`, users);
  expect((await plane.call("DELETE", `${path}?detach=true`)).status).toBe(204);
  expect((await create()).status).toBe(403);
});

test("nobody creates, changes or gives a role that holds more than they do", async () => {
  const keeper = await createPerson(plane, { policy: roleKeeper });
  const escalates = [403, "PRIVILEGE_ESCALATION"];
  const wide = allow(["*"], ["*"]);
  expect(told(await keeper.call("POST", "/api/v1/roles", { name: "wide", policy: wide })))
    .toEqual(escalates);
  const narrow = await keeper.call("POST", "/api/v1/roles", {
    name: "narrow",
    policy: allow(["role:get"], ["role:*"]),
  });
  expect(narrow.status, narrow.text).toBe(201);
  const path = `/api/v1/roles/${narrow.body.roleId}`;
  const widened = await keeper.call("PATCH", path, { policy: allow(["price-list:get"], ["*"]) });
  expect(told(widened)).toEqual(escalates);
  expect(widened.body.missing).toEqual([{ action: "price-list:get", resource: "*" }]);
  expect((await keeper.call("POST", `${path}/assign`, { userIds: [keeper.userId] })).status)
    .toBe(204);
  for (const name of ["admin", "power-user", "read-only"]) {
    const assigned = await keeper.call("POST", `/api/v1/roles/${roleIds[name]}/assign`, {
      userIds: [keeper.userId],
    });
    expect(told(assigned), name).toEqual(escalates);
  }
  const renamed = await keeper.call("PATCH", `/api/v1/roles/${await createRole(wide)}`, {
    name: "renamed by somebody weaker",
  });
  expect(told(renamed)).toEqual(escalates);
});

test("a deny the actor is under goes along with what it touches", async () => {
  const careful = await createPerson(plane, {
    policy: {
      statements: [
        { effect: "allow", actions: ["*"], resources: ["*"] },
        deny(["ai-connection:delete"], ["*"]),
      ],
    },
  });
  const create = (policy: PolicyView) =>
    careful.call("POST", "/api/v1/roles", { name: `careful ${++names}`, policy });
  expect(told(await create(allow(["ai-connection:*"], ["*"]))))
    .toEqual([403, "PRIVILEGE_ESCALATION"]);
  const kept = {
    statements: [
      ...allow(["ai-connection:*"], ["*"]).statements,
      deny(["ai-connection:delete"], ["*"]),
    ],
  };
  expect((await create(kept)).status).toBe(201);
  expect((await create(allow(["ai-connection:get"], ["*"]))).status).toBe(201);
});

test("taking a deny away is granting what it held back", async () => {
  const keeper = await createPerson(plane, { policy: roleKeeper });
  const roleId = await createRole({
    statements: [
      { effect: "allow", actions: ["role:get"], resources: ["*"] },
      deny(["system:*"], ["*"]),
    ],
  });
  const path = `/api/v1/roles/${roleId}`;
  const person = await createPerson(plane);
  const users = { userIds: [person.userId] };
  expect((await keeper.call("POST", `${path}/assign`, users)).status).toBe(204);
  const escalates = [403, "PRIVILEGE_ESCALATION"];
  expect(told(await keeper.call("POST", `${path}/unassign`, users))).toEqual(escalates);
  expect(told(await keeper.call("DELETE", `${path}?detach=true`))).toEqual(escalates);
  const lifted = await keeper.call("PATCH", path, { policy: allow(["role:get"], ["*"]) });
  expect(told(lifted)).toEqual(escalates);
  expect(lifted.body.missing).toEqual([{ action: "system:*", resource: "*" }]);
  const wider = {
    statements: [
      { effect: "allow" as const, actions: ["role:get"], resources: ["*"] },
      deny(["*"], ["*"]),
    ],
  };
  expect((await keeper.call("PATCH", path, { policy: wider })).status).toBe(200);
  expect((await plane.call("POST", `${path}/unassign`, users)).status).toBe(204);
});

test("a token grants neither more than its policy nor more than its user holds", async () => {
  const tokenPolicy = allow(["*"], ["*"]);
  const weak = await createPerson(plane, { policy: roleKeeper, tokenPolicy });
  const wide = { name: `token ${++names}`, policy: allow(["*"], ["*"]) };
  expect(told(await weak.call("POST", "/api/v1/roles", wide)))
    .toEqual([403, "PRIVILEGE_ESCALATION"]);
  const strong = await createPerson(plane, { roles: ["admin"], tokenPolicy: roleKeeper });
  expect(told(await strong.call("POST", "/api/v1/roles", wide)))
    .toEqual([403, "PRIVILEGE_ESCALATION"]);
});

test("the last administrator stays one, whichever way somebody tries", async () => {
  const users = (await plane.call("GET", "/api/v1/users?q=admin@")).body.data;
  const adminId = users[0].userId;
  const lone = { userIds: [adminId] };
  const last = [409, "LAST_ADMIN"];
  for (
    const other of (await plane.call("GET", `/api/v1/roles/${roleIds.admin}/members`)).body.data
  ) {
    if (other.userId === adminId) continue;
    const taken = await plane.call("POST", `/api/v1/roles/${roleIds.admin}/unassign`, {
      userIds: [other.userId],
    });
    expect(taken.status).toBe(204);
  }
  expect(told(await plane.call("POST", `/api/v1/roles/${roleIds.admin}/unassign`, lone)))
    .toEqual(last);
  // Under a DENY nobody holds everything any more.
  expect(told(await plane.call("POST", `/api/v1/roles/${roleIds["power-user"]}/assign`, lone)))
    .toEqual(last);
  expect(told(await plane.call("PATCH", `/api/v1/users/${adminId}`, { state: "INACTIVE" })))
    .toEqual(last);
  expect(told(await plane.call("DELETE", `/api/v1/users/${adminId}`))[0]).toBe(409);

  const second = await createPerson(plane, { policy: allow(["*"], ["*"]) });
  expect((await plane.call("POST", `/api/v1/roles/${roleIds.admin}/unassign`, lone)).status)
    .toBe(204);
  const { body } = await second.call("GET", `/api/v1/roles?name=${second.username}`);
  const own = `/api/v1/roles/${body.data[0].roleId}`;
  expect(told(await second.call("PATCH", own, { policy: allow(["role:*"], ["*"]) }))).toEqual(last);
  expect(told(await second.call("DELETE", `${own}?detach=true`))).toEqual(last);
  expect((await second.call("POST", `/api/v1/roles/${roleIds.admin}/assign`, lone)).status)
    .toBe(204);
  expect((await plane.call("DELETE", `${own}?detach=true`)).status).toBe(204);
});

test("two administrators who remove each other at once leave one", async () => {
  const pair = await Promise.all(
    [1, 2].map(() => createPerson(plane, { roles: ["admin"] })),
  );
  const admin = (await plane.call("GET", "/api/v1/users?q=admin@")).body.data[0].userId;
  await pair[0]!.call("POST", `/api/v1/roles/${roleIds.admin}/unassign`, { userIds: [admin] });
  const outcomes = await Promise.all(
    pair.map((one, index) =>
      one.call("POST", `/api/v1/roles/${roleIds.admin}/unassign`, {
        userIds: [pair[1 - index]!.userId],
      })
    ),
  );
  expect(outcomes.map(({ status }) => status).sort()).toEqual([204, 409]);
  const left = pair[outcomes[0]!.status === 204 ? 0 : 1]!;
  const back = await left.call("POST", `/api/v1/roles/${roleIds.admin}/assign`, {
    userIds: [admin],
  });
  expect(back.status, back.text).toBe(204);
});

test("an account is not taken over for the memberships it has", async () => {
  const workspace = (await plane.call("POST", "/api/v1/workspaces", { name: "hidden" })).body;
  const member = await createPerson(plane, { memberships: { [workspace.workspaceId]: "MEMBER" } });
  const mighty = await createPerson(plane, {
    policy: {
      statements: [
        { effect: "allow", actions: ["*"], resources: ["*"] },
        deny(["workspace:administer"], ["*"]),
      ],
    },
  });
  const taken = await mighty.call("PATCH", `/api/v1/users/${member.userId}`, {
    email: "mine@example.com",
  });
  expect(told(taken)).toEqual([403, "PRIVILEGE_ESCALATION"]);
  expect(taken.text).not.toContain("hidden");
});

test("the simulator tells decision and statements for a user and for a policy", async () => {
  const { workspaceId } = plane.firstRun;
  const person = await createPerson(plane, {
    roles: ["power-user"],
    memberships: { [workspaceId]: "MEMBER" },
  });
  const ask = (body: Record<string, unknown>) => plane.call("POST", "/api/v1/roles/simulate", body);
  const connection = "workspace:default:environment:default:ai-connection:echo";
  const yes = await ask({
    userId: person.userId,
    action: "ai-connection:update",
    resource: connection,
  });
  expect(yes.body).toEqual({
    allowed: true,
    statements: [
      { source: "power-user", index: 0, matched: true, effect: "allow" },
      { source: "power-user", index: 1, matched: false, effect: "deny" },
      { source: "member", index: 0, matched: false, effect: "deny" },
      { source: "member", index: 1, matched: false, effect: "allow" },
    ],
  });
  const no = await ask({ userId: person.userId, action: "plugin:update", resource: "plugin:x" });
  expect(no.body.allowed).toBe(false);
  expect(no.body.statements[1]).toMatchObject({ matched: true, effect: "deny" });
  const reserved = await ask({
    userId: person.userId,
    action: "workspace:delete",
    resource: `workspace:${workspaceId}`,
  });
  expect(reserved.body.allowed).toBe(false);
  expect(reserved.body.statements[2]).toMatchObject({ source: "member", matched: true });

  // A pattern by name meets a resource by id, and the other way round.
  const byId = await ask({
    policy: allow(["ai-connection:get"], [`workspace:${workspaceId}:*`]),
    action: "ai-connection:get",
    resource: connection,
  });
  expect(byId.body.allowed).toBe(true);
  expect(told(await ask({ action: "a:b", resource: "x" }))).toEqual([400, "VALIDATION_FAILED"]);
  const typo = await ask({ userId: crypto.randomUUID(), action: "user:delet", resource: "x" });
  expect(told(typo)).toEqual([400, "VALIDATION_FAILED"]);
  expect(JSON.stringify(typo)).toContain("names the unknown operation");
  const stranger = await ask({ userId: crypto.randomUUID(), action: "user:get", resource: "x" });
  expect(told(stranger)).toEqual([404, "USER_NOT_FOUND"]);
});

test("the simulator says nothing about workspaces its caller may not know of", async () => {
  const reader = await createPerson(plane, { roles: ["read-only"] });
  const owner = (await plane.call("GET", "/api/v1/users?q=admin@")).body.data[0].userId;
  const ask = (name: string) =>
    reader.call("POST", "/api/v1/roles/simulate", {
      userId: owner,
      action: "workspace:delete",
      resource: `workspace:${name}`,
    });
  expect((await ask("default")).body).toEqual((await ask("never-existed")).body);
});

test("a key is widened from neither side by somebody who may not call models", async () => {
  const { workspaceId } = plane.firstRun;
  const builder = await createPerson(plane, {
    policy: allow(["*:get", "ai-resource:*", "api-key:*"], ["*"]),
    memberships: { [workspaceId]: "MEMBER" },
  });
  const base = plane.environmentPath;
  const key = (await plane.call("GET", `${base}/api-keys`)).body.data[0];
  const resource = (await plane.call("GET", `${base}/ai-resources`)).body.data[0];
  const byResource = await builder.call("PATCH", `${base}/ai-resources/${resource.resourceId}`, {
    assignApiKeys: [key.apiKeyId],
  });
  expect(told(byResource)).toEqual([403, "NOT_AUTHORIZED"]);
  expect(byResource.body.action).toBe("completion:execute");
  const byKey = await builder.call("PATCH", `${base}/api-keys/${key.apiKeyId}`, {
    resources: [resource.resourceId],
  });
  expect(told(byKey)).toEqual([403, "NOT_AUTHORIZED"]);
  const rolled = await builder.call("POST", `${base}/api-keys/${key.apiKeyId}/roll`);
  expect(told(rolled)).toEqual([403, "NOT_AUTHORIZED"]);
  const disabled = await builder.call("PATCH", `${base}/api-keys/${key.apiKeyId}`, {
    enabled: false,
  });
  expect(disabled.status, disabled.text).toBe(200);
});
