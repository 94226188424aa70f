import { expect, test } from "vitest";
import * as sdk from "./index.ts";
import { answer, fakeGateway, problem } from "./testing.ts";

test.each(
  [
    [304, "NotModifiedError"],
    [400, "BadRequestError"],
    [401, "AuthenticationError"],
    [403, "PermissionError"],
    [404, "NotFoundError"],
    [409, "ConflictError"],
    [412, "VersionMismatchError"],
    [413, "BodyTooLargeError"],
    [415, "UnsupportedMediaTypeError"],
    [418, "VmxError"],
    [429, "TooManyRequestsError"],
    [500, "ServerError"],
    [501, "NotSupportedError"],
    [503, "UnavailableError"],
  ] as const,
)("status %i is a %s", async (status, name) => {
  const reply = status === 304 ? new Response(null, { status }) : problem(status, "SOME_CODE");
  const { vmx } = fakeGateway([reply], { maxRetries: 0 });
  const error = await vmx.system.get().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(sdk[name]);
  expect(error).toBeInstanceOf(sdk.VmxError);
  expect((error as sdk.VmxError).name).toBe(name);
  expect((error as sdk.VmxError).status).toBe(status);
});

test("an error tells code, request id, faults and what else its code says", async () => {
  const faults = [{ path: "/name", code: "minLength", message: "must not be empty" }];
  const { vmx } = fakeGateway([
    problem(400, "VALIDATION_FAILED", {}, { errors: faults }),
    problem(412, "VERSION_MISMATCH", {}, { currentVersion: 7 }),
  ]);
  const refused = await vmx.workspaces.create({ name: "" }).catch((error) => error);
  expect(refused).toMatchObject({
    code: "VALIDATION_FAILED",
    requestId: "01a1fdc0-cb2f-75ad-80f1-6ad681ba73c2",
    message: "Cannot do it: VALIDATION_FAILED",
    faults,
  });
  const stale = await vmx.me.update({ firstName: "A" }, { ifMatch: 6 }).catch((error) => error);
  expect(stale.currentVersion).toBe(7);
});

test("a proxy's page is told from the gateway's answers", async () => {
  const { vmx } = fakeGateway([
    new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "content-type": "text/html" } }),
    new Response("{", { headers: { "content-type": "application/json" } }),
  ], { maxRetries: 0 });
  await expect(vmx.system.get()).rejects.toMatchObject({
    name: "ServerError",
    code: "ANSWER_NOT_UNDERSTOOD",
    status: 502,
  });
  await expect(vmx.system.get()).rejects.toMatchObject({ code: "ANSWER_NOT_UNDERSTOOD" });
});

test("a connection that fails is an error without status that keeps its cause", async () => {
  const cause = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
  const { vmx } = fakeGateway([cause], { maxRetries: 0 });
  const error = await vmx.system.get().catch((reason) => reason);
  expect(error).toBeInstanceOf(sdk.ConnectionError);
  expect(error.message).toBe("Cannot reach http://gateway.test: connect ECONNREFUSED");
  expect(error).toMatchObject({ code: "CONNECTION_FAILED", status: undefined, cause });
});

test("a caller who gives up gets the reason of the signal, and nothing is repeated", async () => {
  const { vmx, seen } = fakeGateway(() => new TypeError("aborted"));
  const reason = new Error("enough");
  const call = vmx.system.get({ signal: AbortSignal.abort(reason) });
  await expect(call).rejects.toBe(reason);
  expect(seen.length).toBeLessThanOrEqual(1);
});

test("a rejected call that is asked for its response rejects once, and is not lost when nobody asks", async () => {
  const { vmx } = fakeGateway(() => problem(404, "USER_NOT_FOUND"));
  await expect(vmx.me.get().withResponse()).rejects.toBeInstanceOf(sdk.NotFoundError);
});

test("an address that is none is refused before anything is sent", () => {
  expect(() => new sdk.Vmx({ baseUrl: "gateway:3000" })).toThrow(/http or https/);
});

test("status, request id, revision and version come with the answer", async () => {
  const { vmx } = fakeGateway([
    answer({ username: "ana" }, 200, {
      etag: '"3"',
      "x-vmx-request-id": "r-1",
      "x-vmx-revision": "12",
      "idempotency-replayed": "true",
    }),
  ]);
  expect(await vmx.me.get().withResponse()).toMatchObject({
    data: { username: "ana" },
    status: 200,
    requestId: "r-1",
    revision: 12,
    etag: '"3"',
    replayed: true,
  });
});
