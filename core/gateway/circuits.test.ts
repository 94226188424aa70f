import { expect, test } from "vitest";
import { createCircuits } from "./circuits.ts";
import { createRetryBudget } from "./retry-budget.ts";

function world() {
  let now = 0;
  const clock = { now: () => 1_000_000 + now, monotonic: () => now };
  return {
    circuits: createCircuits(clock),
    budget: createRetryBudget(clock),
    pass: (ms: number) => now += ms,
  };
}

test("a circuit opens at ten calls of which half failed, probes after 15 s and closes on success", () => {
  const { circuits, pass } = world();
  for (let call = 0; call < 9; call++) circuits.note("c", "m", call % 2 === 0);
  expect(circuits.peek("c", "m")).toBe("closed");
  circuits.note("c", "m", true);
  expect(circuits.admit("c", "m")).toBe("open");
  expect(circuits.peek("c", "other")).toBe("closed");
  expect(circuits.view("c")["m"]).toEqual({ state: "open", since: 1_000_000, until: 1_015_000 });
  pass(15_000);
  expect(circuits.peek("c", "m")).toBe("probing");
  expect(circuits.admit("c", "m")).toBe("probing");
  expect(circuits.admit("c", "m"), "one probe at a time").toBe("open");
  circuits.note("c", "m", false);
  expect(circuits.admit("c", "m")).toBe("closed");
  expect(circuits.view("c")).toEqual({});
});

test("a probe without a verdict leaves its turn to the next call", () => {
  const { circuits, pass } = world();
  for (let call = 0; call < 10; call++) circuits.note("c", "m", true);
  pass(15_000);
  expect(circuits.admit("c", "m")).toBe("probing");
  circuits.leaveProbe("c", "m");
  expect(circuits.admit("c", "m")).toBe("probing");
  expect(circuits.admit("c", "m")).toBe("open");
});

test("a failed probe keeps the circuit open for 15 s more", () => {
  const { circuits, pass } = world();
  for (let call = 0; call < 10; call++) circuits.note("c", "m", true);
  pass(15_000);
  circuits.admit("c", "m");
  circuits.note("c", "m", true);
  expect(circuits.admit("c", "m")).toBe("open");
  pass(14_999);
  expect(circuits.admit("c", "m")).toBe("open");
  pass(1);
  expect(circuits.admit("c", "m")).toBe("probing");
});

test("earlier successes weigh against failures", () => {
  const { circuits } = world();
  for (let call = 0; call < 20; call++) circuits.note("c", "m", false);
  for (let call = 0; call < 19; call++) circuits.note("c", "m", true);
  expect(circuits.peek("c", "m")).toBe("closed");
  circuits.note("c", "m", true);
  expect(circuits.peek("c", "m")).toBe("open");
});

test("failures older than 30 s are forgotten", () => {
  const { circuits, pass } = world();
  for (let call = 0; call < 9; call++) circuits.note("c", "m", true);
  pass(33_000);
  circuits.note("c", "m", true);
  expect(circuits.peek("c", "m")).toBe("closed");
});

test("a probe that never told its end does not shut the circuit for ever", () => {
  const { circuits, pass } = world();
  for (let call = 0; call < 10; call++) circuits.note("c", "m", true);
  pass(15_000);
  circuits.admit("c", "m");
  pass(60_000);
  expect(circuits.admit("c", "m")).toBe("probing");
});

test("a hundred retries are always allowed, beyond that a fifth of the calls of the last 10 s", () => {
  const { budget, pass } = world();
  const take = () => {
    let taken = 0;
    while (budget.takeRetry("c")) taken++;
    return taken;
  };
  expect(take()).toBe(100);
  for (let call = 0; call < 1000; call++) budget.noteCall("c");
  expect(take()).toBe(100);
  expect(budget.takeRetry("other")).toBe(true);
  pass(11_000);
  expect(take()).toBe(100);
});
