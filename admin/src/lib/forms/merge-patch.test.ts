import { expect, test } from "vitest";
import { mergePatchBetween } from "./merge-patch.ts";

test("a patch holds what differs, deeply, and null for what is gone", () => {
  const before = { kept: 1, gone: 2, list: [1, 2], nested: { a: 1, b: 2 }, text: "x" };
  const after = { kept: 1, list: [2], nested: { a: 3, c: { d: 4 } }, text: { e: 5 } };
  expect(mergePatchBetween(before, after)).toEqual({
    gone: null,
    list: [2],
    nested: { a: 3, b: null, c: { d: 4 } },
    text: { e: 5 },
  });
  expect(mergePatchBetween(before, before)).toEqual({});
});

test("nothing before takes all, and nothing after clears all", () => {
  expect(mergePatchBetween(null, { a: 1 })).toEqual({ a: 1 });
  expect(mergePatchBetween({ a: 1 }, null)).toBeNull();
});
