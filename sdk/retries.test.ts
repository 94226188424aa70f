import { expect, test } from "vitest";
import { answer, fakeGateway, problem } from "./testing.ts";

const broken = new TypeError("fetch failed");

test("a POST is repeated under one idempotency key, and after as long as Retry-After asks", async () => {
  const { vmx, seen, waits } = fakeGateway([
    problem(503, "DATABASE_UNAVAILABLE", { "retry-after": "3" }),
    broken,
    answer({ workspaceId: "w", name: "new" }, 201),
  ]);
  expect(await vmx.workspaces.create({ name: "new" })).toMatchObject({ name: "new" });
  const keys = seen.map(({ headers }) => headers.get("idempotency-key"));
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(new Set(keys).size).toBe(1);
  expect(seen.map(({ body }) => body)).toEqual(Array(3).fill({ name: "new" }));
  expect(waits).toEqual([3_000, 1_000]);
});

test("two calls have two idempotency keys, unless the caller names one", async () => {
  const { vmx, seen } = fakeGateway(() => answer({}, 201));
  await vmx.workspaces.create({ name: "a" });
  await vmx.workspaces.create({ name: "a" });
  await vmx.workspaces.create({ name: "a" }, { idempotencyKey: "mine" });
  const keys = seen.map(({ headers }) => headers.get("idempotency-key"));
  expect(new Set(keys).size).toBe(3);
  expect(keys[2]).toBe("mine");
});

test("waits grow and are shortened by chance", async () => {
  const { vmx, waits } = fakeGateway(() => broken, { maxRetries: 5, random: () => 0.5 });
  await expect(vmx.system.get()).rejects.toThrow("Cannot reach");
  expect(waits).toEqual([375, 750, 1_500, 3_000, 6_000]);
});

test.each([400, 401, 403, 404, 409, 412, 500])("status %i is not repeated", async (status) => {
  const { vmx, seen } = fakeGateway(() => problem(status, "SOME_CODE"));
  await expect(vmx.workspaces.create({ name: "a" })).rejects.toMatchObject({ status });
  expect(seen.length).toBe(1);
});

test("a POST whose first request still runs is asked for again", async () => {
  const { vmx, seen } = fakeGateway([
    problem(409, "IDEMPOTENCY_IN_PROGRESS"),
    answer({ name: "a" }, 201),
  ]);
  await vmx.workspaces.create({ name: "a" });
  expect(seen.length).toBe(2);
});

test("a wait longer than maxWaitMs is left to the caller", async () => {
  const { vmx, waits } = fakeGateway(() =>
    problem(429, "TOO_MANY_REQUESTS", { "retry-after": "900" })
  );
  const error = await vmx.auth.login({ username: "a", password: "b" }).catch((reason) => reason);
  expect(error).toMatchObject({ status: 429, retryAfterMs: 900_000 });
  expect(waits).toEqual([]);
});

test("what must not happen twice is not repeated when the answer got lost", async () => {
  const id = "01a1fdc0-cb2f-75ad-80f1-6ad681ba73c2";
  for (
    const call of [
      ({ vmx }: ReturnType<typeof fakeGateway>) => vmx.workspaces.delete(id),
      ({ vmx }: ReturnType<typeof fakeGateway>) => vmx.workspaces.update(id, {}, { ifMatch: 1 }),
      ({ vmx }: ReturnType<typeof fakeGateway>) => vmx.auth.login({ username: "a", password: "b" }),
    ]
  ) {
    const gateway = fakeGateway(() => broken);
    await expect(call(gateway)).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    expect(gateway.seen.length).toBe(1);
  }
});

test.each(["nothing", "half a body"])(
  "a gateway that sends %s in time is a timeout",
  async (sent) => {
    const { vmx } = fakeGateway([], {
      timeoutMs: 20,
      maxRetries: 0,
      fetch: (_, { signal }) =>
        new Promise((resolve, reject) => {
          if (sent === "nothing") signal!.addEventListener("abort", () => reject(signal!.reason));
          else resolve(new Response(stalled(signal!)));
        }),
    });
    await expect(vmx.system.get()).rejects.toMatchObject({ code: "TIMEOUT" });
  },
);

/** A body that never ends, and fails with the signal as the one of `fetch` does. */
function stalled(signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array([123]));
      signal.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
}
