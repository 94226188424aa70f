import { expect, test } from "vitest";
import { answer, fakeGateway, problem } from "./testing.ts";

const pages: Readonly<Record<string, unknown>> = {
  "": { data: [{ n: 1 }, { n: 2 }], nextCursor: "two" },
  two: { data: [{ n: 3 }], nextCursor: "three" },
  three: { data: [{ n: 4 }], nextCursor: null },
};

function paged() {
  return fakeGateway(({ path }) => {
    const { searchParams } = new URL(path, "http://gateway.test");
    return answer(pages[searchParams.get("cursor") ?? ""]);
  });
}

test("iterating reads page after page, with the same filters", async () => {
  const { vmx, seen } = paged();
  const numbers: unknown[] = [];
  for await (const item of vmx.users.list({ q: "a b&c" })) numbers.push(item);
  expect(numbers).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  const queries = seen.map(({ path }) => new URL(path, "http://x").searchParams);
  expect(queries.map((query) => query.get("q"))).toEqual(Array(3).fill("a b&c"));
});

test("awaiting a list gives one page and its cursor", async () => {
  const { vmx, seen } = paged();
  expect(await vmx.users.list()).toEqual(pages[""]);
  expect((await vmx.users.list({ cursor: "three" })).nextCursor).toBeNull();
  expect(seen.length).toBe(2);
});

test("reading stops with the reader", async () => {
  const { vmx, seen } = paged();
  expect(await vmx.users.list().toArray({ limit: 2 })).toHaveLength(2);
  expect(seen.length).toBe(1);
  expect(await vmx.users.list().toArray({ limit: 0 })).toEqual([]);
  expect(seen.length).toBe(1);
  expect(await vmx.users.list().toArray()).toHaveLength(4);
});

test("a list sends nothing before it is read", () => {
  const { vmx, seen } = paged();
  vmx.users.list();
  expect(seen).toEqual([]);
});

test("a page that fails is an error of the iteration", async () => {
  const { vmx } = fakeGateway([answer(pages[""]), problem(400, "INVALID_CURSOR")]);
  await expect(vmx.users.list().toArray()).rejects.toMatchObject({ code: "INVALID_CURSOR" });
});

test("a list that cannot grow ends with its only page", async () => {
  const { vmx } = fakeGateway(() => answer({ data: [{ name: "a" }] }));
  expect(await vmx.workspaces.list()).toEqual({ data: [{ name: "a" }], nextCursor: null });
  expect(await vmx.workspaces.list().toArray()).toEqual([{ name: "a" }]);
});
