import { expect, test } from "vitest";
import { createRefusals } from "./refusals.ts";

test("sixty refusals a minute pass after the first, further ones must wait out the minute", () => {
  let now = 0;
  const refusals = createRefusals({ now: () => now, monotonic: () => now });
  for (let count = 0; count <= 60; count++) expect(refusals.note("10.0.0.1")).toBeUndefined();
  now = 15_000;
  expect(refusals.note("10.0.0.1")).toBe(45);
  expect(refusals.note("10.0.0.2")).toBeUndefined();
  now = 60_000;
  expect(refusals.note("10.0.0.1")).toBeUndefined();
});
