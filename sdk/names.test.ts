import { expect, test } from "vitest";
import { NotFoundError } from "./index.ts";
import { answer, fakeGateway, problem, type Seen } from "./testing.ts";

const workspaceId = "00000000-0000-4000-8000-000000000001";
const environmentId = "00000000-0000-4000-8000-000000000002";
const resourceId = "00000000-0000-4000-8000-000000000003";
const inside = `/api/v1/workspaces/${workspaceId}/environments/${environmentId}`;

function reply({ path, method }: Seen): Response {
  const { pathname } = new URL(path, "http://x");
  if (pathname.endsWith("/workspaces")) return answer({ data: [{ workspaceId, name: "Prod" }] });
  if (pathname.endsWith("/environments")) {
    return answer({ data: [{ environmentId, name: "main" }] });
  }
  if (pathname.endsWith("/ai-resources") && method === "GET") {
    return answer({ data: path.includes("name=chat") ? [{ resourceId, name: "chat" }] : [] });
  }
  return answer({});
}

test("names in paths become ids; those of workspace and environment are asked for once", async () => {
  const { vmx, seen } = fakeGateway(reply, { workspace: "prod", environment: "MAIN" });
  await Promise.all([vmx.aiResources.get("chat"), vmx.apiKeys.list()]);
  await vmx.aiResources.get(resourceId);
  expect(seen.map(({ path }) => path).sort()).toEqual([
    "/api/v1/workspaces?name=prod",
    `/api/v1/workspaces/${workspaceId}/environments?name=MAIN`,
    `${inside}/ai-resources?name=chat`,
    `${inside}/ai-resources/${resourceId}`,
    `${inside}/ai-resources/${resourceId}`,
    `${inside}/api-keys`,
  ].sort());
});

test("names in bodies and queries become ids", async () => {
  const { vmx, seen } = fakeGateway(reply, { workspace: workspaceId, environment: environmentId });
  await vmx.apiKeys.create({ name: "k", resources: ["chat", resourceId] });
  expect(seen.at(-1)!.body).toEqual({ name: "k", resources: [resourceId, resourceId] });
  await vmx.apiKeys.list({ resourceId: "chat" });
  expect(seen.at(-1)!.path).toBe(`${inside}/api-keys?resourceId=${resourceId}`);
});

test("a name that nothing has is a NotFoundError that says so", async () => {
  const { vmx } = fakeGateway(reply, { workspace: "prod", environment: "main" });
  const error = await vmx.aiResources.get("chta").catch((reason) => reason);
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toMatchObject({
    code: "AI_RESOURCE_NOT_FOUND",
    message: 'No AI resource is named "chta"',
  });
});

test("an environment that was made anew under its name is found again", async () => {
  let gone = true;
  const { vmx, seen } = fakeGateway((request) => {
    if (!request.path.endsWith("/api-keys") || !gone) return reply(request);
    gone = false;
    return problem(404, "ENVIRONMENT_NOT_FOUND");
  }, { workspace: "prod", environment: "main" });
  await expect(vmx.apiKeys.list()).rejects.toBeInstanceOf(NotFoundError);
  await vmx.apiKeys.list();
  expect(seen.filter(({ path }) => path.includes("environments?name=main"))).toHaveLength(2);
});
