import { afterAll, beforeAll, expect, test } from "vitest";
import { createPerson, type TestPerson } from "./testing-people.ts";
import { type Answer, startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let owner: TestPerson;
let workspace: string;
let path: string;

beforeAll(async () => {
  plane = await startTestManagement();
  owner = await createPerson(plane, { roles: ["power-user"] });
  const made = await owner.call("POST", "/api/v1/workspaces", { name: "team" });
  workspace = `/api/v1/workspaces/${made.body.workspaceId}`;
  path = `${workspace}/members`;
});
afterAll(() => plane.stop());

const told = ({ status, body }: Answer) => [status, body?.code];

test("an owner adds members, changes their role and removes them, and each change counts at once", async () => {
  const person = await createPerson(plane);
  expect((await person.call("GET", workspace)).status).toBe(404);
  const added = await owner.call("POST", path, { userIds: [person.userId], role: "MEMBER" });
  expect(added.status, added.text).toBe(201);
  expect(added.body.data).toMatchObject([{ userId: person.userId, role: "MEMBER" }]);
  expect((await person.call("GET", workspace)).status).toBe(200);
  expect(told(await person.call("DELETE", workspace))).toEqual([403, "WORKSPACE_OWNER_REQUIRED"]);

  const again = await owner.call("POST", path, { userIds: [person.userId], role: "OWNER" });
  expect(again.body.data[0].role).toBe("MEMBER");
  const one = `${path}/${person.userId}`;
  const raised = await owner.call("PATCH", one, { role: "OWNER" });
  expect(raised.body, raised.text).toMatchObject({ role: "OWNER", addedBy: owner.userId });
  expect((await person.call("PATCH", workspace, { description: "ours" })).status).toBe(200);
  expect((await owner.call("DELETE", one)).status).toBe(204);
  expect((await person.call("GET", workspace)).status).toBe(404);
  expect(told(await owner.call("DELETE", one))).toEqual([404, "USER_NOT_FOUND"]);
  const trail = await plane.call("GET", `/api/v1/activity?actor=${owner.userId}`);
  expect(trail.body.data.map(({ action }: { action: string }) => action).slice(0, 3)).toEqual([
    "workspace:unassign",
    "workspace:update-member-role",
    "workspace:assign",
  ]);
});

test("a member changes no membership, and nobody raises their own", async () => {
  const member = await createPerson(plane, { roles: ["power-user"] });
  await owner.call("POST", path, { userIds: [member.userId], role: "MEMBER" });
  const refused = [403, "WORKSPACE_OWNER_REQUIRED"];
  const own = `${path}/${member.userId}`;
  expect(told(await member.call("PATCH", own, { role: "OWNER" }))).toEqual(refused);
  expect(told(await member.call("DELETE", `${path}/${owner.userId}`))).toEqual(refused);
  expect(told(await member.call("POST", path, { userIds: [member.userId], role: "OWNER" })))
    .toEqual(refused);

  const admin = await createPerson(plane, { roles: ["admin"] });
  const raised = [403, "PRIVILEGE_ESCALATION"];
  expect(told(await admin.call("POST", path, { userIds: [admin.userId], role: "OWNER" })))
    .toEqual(raised);
  expect((await plane.call("POST", path, { userIds: [admin.userId], role: "MEMBER" })).status)
    .toBe(201);
  expect(told(await admin.call("PATCH", `${path}/${admin.userId}`, { role: "OWNER" })))
    .toEqual(raised);
  expect((await admin.call("PATCH", own, { role: "OWNER" })).status).toBe(200);
  expect((await admin.call("PATCH", own, { role: "MEMBER" })).status).toBe(200);
});

test("the last owner neither leaves nor steps down, nor is deleted", async () => {
  const last = [409, "LAST_OWNER"];
  const own = `${path}/${owner.userId}`;
  expect(told(await owner.call("DELETE", own))).toEqual(last);
  expect(told(await owner.call("PATCH", own, { role: "MEMBER" }))).toEqual(last);
  expect(told(await plane.call("DELETE", `/api/v1/users/${owner.userId}`))).toEqual(last);
  const heir = await createPerson(plane);
  await owner.call("POST", path, { userIds: [heir.userId], role: "OWNER" });
  const outcomes = await Promise.all([
    owner.call("PATCH", own, { role: "MEMBER" }),
    heir.call("PATCH", `${path}/${heir.userId}`, { role: "MEMBER" }),
  ]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual([200, 409]);
});

test("somebody who is no user cannot become a member, and one bad id stops the whole change", async () => {
  const admin = await createPerson(plane, { roles: ["admin"] });
  const person = await createPerson(plane);
  const userIds = [person.userId, crypto.randomUUID()];
  const refused = await admin.call("POST", path, { userIds, role: "MEMBER" });
  expect(told(refused)).toEqual([404, "USER_NOT_FOUND"]);
  expect(refused.body.errors[0].path).toBe("/userIds/1");
  expect((await person.call("GET", workspace)).status).toBe(404);
});
