import { expect, test } from "vitest";
import { sharesOf } from "./read-shares.ts";

test("a share tells how many of the requests called a model; without requests there is none", () => {
  const named = { value: "c1", label: "connectionId", displayName: "main" };
  const edges = [
    { connectionId: named, model: "a", legCount: 8 },
    { connectionId: named, model: "b", legCount: 2 },
  ];
  const share = sharesOf(8, edges);
  expect([share("c1", "a"), share("c1", "b"), share("c2", "a")]).toEqual([100, 25, 0]);
  expect(sharesOf(0, edges)("c1", "a")).toBeUndefined();
});
