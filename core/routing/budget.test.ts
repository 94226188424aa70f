import { expect, test } from "vitest";
import { createBudget } from "./budget.ts";

test("a budget ends with its steps", () => {
  const budget = createBudget({ monotonic: () => 0, maxSteps: 3 });
  expect([1, 1, 1, 1, 1].map(() => budget.spend())).toEqual([true, true, true, false, false]);
  expect(createBudget({ monotonic: () => 0, maxSteps: 3 }).spend(4)).toBe(false);
});

test("a budget ends with its time, which steps of weight show", () => {
  let now = 0;
  const budget = createBudget({ monotonic: () => now });
  expect(budget.spend(16)).toBe(true);
  now = 20;
  expect(budget.spend(16)).toBe(true);
  now = 21;
  expect(budget.spend(16)).toBe(false);
  now = 0;
  expect(budget.spend()).toBe(false);
});

test("a pause of the process between small steps does not count", () => {
  let now = 0;
  const budget = createBudget({ monotonic: () => now });
  for (let at = 0; at < 100; at++) expect(budget.spend()).toBe(true);
  now = 5000;
  for (let at = 0; at < 100; at++) expect(budget.spend()).toBe(true);
});
