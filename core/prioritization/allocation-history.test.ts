import { expect, test } from "vitest";
import { createAllocationHistory } from "./allocation-history.ts";

const point = (at: number) => ({ at, pools: [{ name: "a", current: at % 100_000, demand: 1 }] });

test("two days of seconds leave an hour of seconds and a day of minutes, in order", () => {
  const history = createAllocationHistory();
  const seconds = 2 * 86_400;
  for (let second = 1; second <= seconds; second++) history.note("c", point(second * 1000));
  const all = history.read("c").map(({ at }) => at / 1000);
  expect(all.at(-1)).toBe(seconds);
  const fine = all.filter((second) => second > seconds - 3_600);
  expect(fine.length).toBe(3_600);
  expect(all.length - fine.length).toBe(23 * 60);
  expect(all).toEqual(all.toSorted((one, other) => one - other));
  expect(history.read("c", (seconds - 5) * 1000).length).toBe(5);
  expect(history.latest("c")?.at).toBe(seconds * 1000);
});

test("points that come late or twice are left out, and unknown connections have no past", () => {
  const history = createAllocationHistory();
  for (const at of [1_000, 2_000, 2_000, 1_500, 3_000]) history.note("c", point(at));
  expect(history.read("c").map(({ at }) => at)).toEqual([1_000, 2_000, 3_000]);
  expect(history.read("d")).toEqual([]);
});

test("connections beyond five hundred push out those that moved longest ago", () => {
  const history = createAllocationHistory();
  for (let at = 0; at < 510; at++) history.note(`c${at}`, point(1_000));
  expect(history.latest("c9")).toBeUndefined();
  expect(history.latest("c10")).toBeDefined();
});
