import { expect, test } from "vitest";
import type { PolicyView, Snapshot } from "../store/snapshot.ts";
import { authorize, decideAccess, maySeeWorkspace } from "./authorize.ts";
import { builtInRoles } from "./default-roles.ts";
import { refuseEscalation } from "./escalation.ts";
import { compilePolicy } from "./policy.ts";
import type { Principal } from "./principal.ts";
import { resourceOf } from "./resource.ts";

const policyOf = (name: string) => builtInRoles.find((role) => role.name === name)!.policy;

function world(
  roles: Readonly<Record<string, PolicyView>>,
  members: Readonly<Record<string, "OWNER" | "MEMBER">> = {},
): Snapshot {
  return {
    revision: 1,
    workspaces: new Map([["w1", {
      workspaceId: "w1",
      name: "acme",
      members: new Map(Object.entries(members)),
    }]]),
    environments: new Map(),
    apiKeysByHash: new Map(),
    users: new Map(),
    tokensByHash: new Map(),
    roles: new Map(
      Object.entries(roles).map(([name, policy]) => [name, {
        roleId: name,
        name,
        builtIn: false,
        policy,
      }]),
    ),
    plugins: new Map(),
  };
}

const principal = (roleIds: string[], policy: PolicyView | null = null): Principal => ({
  user: {
    userId: "u1",
    username: "ada",
    email: "ada@example.com",
    name: "Ada",
    state: "ACTIVE",
    roleIds,
  },
  via: "token",
  token: { tokenId: "t1", userId: "u1", expiresAt: null, policy },
});

const workspace = { name: "acme", id: "w1" };
const connection = (createdBy: string | null = null) =>
  resourceOf(
    ["workspace", workspace, "environment", { name: "dev", id: "e1" }, "ai-connection", {
      name: "main",
      id: "c1",
    }],
    { workspaceId: "w1", createdBy },
  );
const itself = resourceOf(["workspace", workspace], { workspaceId: "w1" });

test("an owner may do everything in the workspace unless a role denies it", () => {
  const owner = principal([]);
  authorize(world({}, { u1: "OWNER" }), owner, "workspace:delete", itself);
  const denied = world({
    careful: {
      statements: [{ effect: "deny", actions: ["workspace:delete"], resources: ["*"] }],
    },
  }, { u1: "OWNER" });
  expect(() => authorize(denied, principal(["careful"]), "workspace:delete", itself))
    .toThrow(expect.objectContaining({ code: "NOT_AUTHORIZED" }));
});

test("a member without roles reads and builds, and deletes only what they made", () => {
  const snapshot = world({}, { u1: "MEMBER" });
  const member = principal([]);
  authorize(snapshot, member, "ai-connection:create", connection());
  authorize(snapshot, member, "ai-connection:delete", connection("u1"));
  expect(decideAccess(snapshot, member, "ai-connection:delete", connection("u2")).allowed)
    .toBe(false);
  expect(() => authorize(snapshot, member, "workspace:delete", itself))
    .toThrow(expect.objectContaining({ code: "WORKSPACE_OWNER_REQUIRED" }));
});

test("a member whose role grants something there has what the role says, not the member policy", () => {
  const snapshot = world({ reader: policyOf("read-only") }, { u1: "MEMBER" });
  const reader = principal(["reader"]);
  authorize(snapshot, reader, "ai-connection:get", connection());
  expect(() => authorize(snapshot, reader, "ai-connection:create", connection()))
    .toThrow(/ai-connection:create on workspace:acme:environment:dev:ai-connection:main/);
});

test("a role for another workspace leaves the member policy in force", () => {
  const elsewhere: PolicyView = {
    statements: [{ effect: "allow", actions: ["*"], resources: ["workspace:other:*"] }],
  };
  const snapshot = world({ elsewhere }, { u1: "MEMBER" });
  authorize(snapshot, principal(["elsewhere"]), "ai-resource:create", connection());
});

test("without membership a workspace is seen only by holders of workspace:administer", () => {
  const snapshot = world({ admin: policyOf("admin"), power: policyOf("power-user") });
  expect(maySeeWorkspace(snapshot, principal([]), "w1")).toBe(false);
  expect(maySeeWorkspace(snapshot, principal(["power"]), "w1")).toBe(false);
  expect(maySeeWorkspace(snapshot, principal(["admin"]), "w1")).toBe(true);
  expect(maySeeWorkspace(snapshot, principal(["admin"]), "w2")).toBe(false);
});

test("a token's policy narrows what its user may do and never widens it", () => {
  const snapshot = world({ admin: policyOf("admin") }, { u1: "OWNER" });
  const narrow = principal(["admin"], {
    statements: [{ effect: "allow", actions: ["*:get"], resources: ["*"] }],
  });
  authorize(snapshot, narrow, "ai-connection:get", connection());
  expect(decideAccess(snapshot, narrow, "ai-connection:update", connection()))
    .toEqual({ allowed: false, decidedBy: "token" });
});

test("nobody grants what they do not hold, nor drops a deny they are under", () => {
  const compiled = (name: string) => [compilePolicy(policyOf(name))];
  refuseEscalation(compiled("admin"), compiled("power-user"));
  refuseEscalation(compiled("power-user"), compiled("power-user"));
  expect(() => refuseEscalation(compiled("power-user"), compiled("admin")))
    .toThrow(expect.objectContaining({ code: "PRIVILEGE_ESCALATION" }));
  expect(() => refuseEscalation(compiled("read-only"), compiled("power-user"))).toThrow();
});
