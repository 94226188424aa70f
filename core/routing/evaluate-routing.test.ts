import fc from "fast-check";
import { expect, test } from "vitest";
import type { RoutingFacts } from "../contract/index.ts";
import { createBudget } from "./budget.ts";
import type { CompiledRouting } from "./compile-routing.ts";
import { evaluateRouting, skippedTrace } from "./evaluate-routing.ts";
import { compileRoutes, fixed, loadEvaluators, sampleFacts, slot } from "./testing.ts";

const evaluators = await loadEvaluators();
const yes = { expression: "request.model", comparator: "EQUAL", value: "fast" };
const no = { expression: "request.model", comparator: "EQUAL", value: "slow" };
const broken = { expression: "hash(request.user, metadata.tier)", comparator: "EQUAL", value: 1 };

function compile(...routes: object[]): CompiledRouting {
  return compileRoutes(routes, evaluators);
}

function results(routing: CompiledRouting, options: object = {}): string[] {
  const { trace } = evaluateRouting(routing, sampleFacts(), { ...fixed, ...options });
  return trace.routes.map(({ result }) => result);
}

function share(traffic: number): object {
  return { then: { ...slot, traffic } };
}

test("the first route that matches decides, and those behind it are not looked at", () => {
  const routing = compile({ if: [no] }, { if: [yes], enabled: false }, { if: [yes] }, {
    if: [yes],
  });
  const { selected, trace } = evaluateRouting(routing, sampleFacts(), fixed);
  expect(selected?.routeId).toBe("r2");
  expect(trace).toMatchObject({
    evaluated: true,
    revision: 7,
    selected: { routeId: "r2", description: null, action: "CALL_MODEL", slot },
  });
  expect(trace.selected!.slot).not.toHaveProperty("traffic");
  expect(trace.routes.map(({ result }) => result)).toEqual([
    "not_matched",
    "disabled",
    "matched",
    "skipped",
  ]);
});

test("without a match nothing is selected", () => {
  const { selected, trace } = evaluateRouting(compile({ if: [no] }), sampleFacts(), fixed);
  expect([selected, trace.selected]).toEqual([null, null]);
});

test("a blocking route is selected without a slot", () => {
  const routing = compile({ if: [], action: "BLOCK", description: "Not at night" });
  const { selected, trace } = evaluateRouting(routing, sampleFacts(), fixed);
  expect(selected?.action).toBe("BLOCK");
  expect(trace.selected).toEqual({
    routeId: "r0",
    description: "Not at night",
    action: "BLOCK",
    slot: null,
  });
});

test("the trace tells each condition's values, and what a short circuit left out", () => {
  const routing = compile({
    operator: "OR",
    conditions: [
      { ...no, label: "the slow one" },
      {
        operator: "AND",
        conditions: [yes, { expression: "tokens.input", comparator: "GREATER_THAN", value: 40 }],
      },
      yes,
    ],
  });
  const { trace } = evaluateRouting(routing, sampleFacts(), fixed);
  expect(trace.routes[0]!.conditions).toEqual([
    {
      path: "0",
      label: "the slow one",
      left: "fast",
      comparator: "EQUAL",
      right: "slow",
      result: false,
      durationUs: 0,
    },
    {
      path: "1.0",
      label: "request.model",
      left: "fast",
      comparator: "EQUAL",
      right: "fast",
      result: true,
      durationUs: 0,
    },
    {
      path: "1.1",
      label: "tokens.input",
      left: 42,
      comparator: "GREATER_THAN",
      right: 40,
      result: true,
      durationUs: 0,
    },
    {
      path: "2",
      label: "request.model",
      left: null,
      comparator: "EQUAL",
      right: "fast",
      result: "not_evaluated",
      durationUs: 0,
    },
  ]);
});

test("the trace of an expression tells the parts of its outer boolean operators", () => {
  const routing = compile({
    expression:
      "tokens.input > 40 && (request.model == 'slow' || contains(request.user, '7')) && !hasTools",
  });
  const { trace } = evaluateRouting(routing, sampleFacts(), fixed);
  expect(trace.routes[0]).toMatchObject({ mode: "ADVANCED", result: "matched" });
  expect(
    trace.routes[0]!.conditions!.map((
      { path, left, comparator, right, result },
    ) => [path, left, comparator, right, result]),
  ).toEqual([
    ["0", 42, ">", 40, true],
    ["1.0", "fast", "==", "slow", false],
    ["1.1", true, "true", null, true],
    ["2", true, "true", null, true],
  ]);
});

test("durations are measured", () => {
  let now = 0;
  const { trace } = evaluateRouting(
    compile({ if: [no, yes] }, { expression: "false" }),
    sampleFacts(),
    {
      ...fixed,
      monotonic: () => now++,
    },
  );
  expect(trace.durationMs).toBe(2);
  expect(trace.routes.map(({ durationUs }) => durationUs)).toEqual([1000, 1000]);
});

test("a condition that fails is false, its error is in the trace, and the request goes on", () => {
  const routing = compile(
    { if: [broken] },
    { operator: "OR", conditions: [broken, yes], ...share(0) },
    { expression: "!(hash(request.user, metadata.tier) == 1)" },
    { if: [] },
  );
  const { errors, selected, trace } = evaluateRouting(routing, sampleFacts(), fixed);
  const reason = "hash takes a whole number of buckets, at least 1";
  expect(trace.routes.map(({ result, error }) => [result, error])).toEqual([
    ["error", reason],
    ["traffic_miss", reason],
    ["error", reason],
    ["matched", undefined],
  ]);
  expect(trace.routes[0]!.conditions![0]).toMatchObject({ result: false, error: reason });
  expect(selected?.routeId).toBe("r3");
  expect(errors).toBe(3);
});

test("a plugin that throws costs its route only", () => {
  const [good, bad] = compile({ if: [] }, { if: [] }).routes;
  const evaluate = () => {
    throw new Error("boom");
  };
  const routing = { enabled: true, routes: [{ ...bad!, rule: { evaluate } }, good!] };
  expect(results(routing)).toEqual(["error", "matched"]);
});

test("when the budget is spent the remaining routes are skipped and the primary serves", () => {
  const heavy = { expression: "request.messages[.role == 'user'].content == 'x'" };
  const routing = compile(...Array.from({ length: 5 }, () => heavy), { if: [] });
  const budget = createBudget({ monotonic: () => 0, maxSteps: 20 });
  const { selected, trace } = evaluateRouting(routing, sampleFacts({ budget }), fixed);
  expect(selected).toBeNull();
  expect(trace.skippedReason).toBe("budget");
  const skipped = trace.routes.filter(({ result }) => result === "skipped");
  expect(skipped.length).toBeGreaterThan(1);
  expect(skipped.every(({ error }) => error === "budget")).toBe(true);
  expect(trace.routes.at(-1)!.result).toBe("skipped");
});

test("text of messages is stored as its length where it must not be stored", () => {
  const content = { expression: "request.lastMessage.content", comparator: "CONTAINS", value: "r" };
  const body = { expression: "request.stop", comparator: "CONTAINS", value: "END" };
  const routing = compile({
    if: [content, body, yes, { ...yes, expression: "metadata.tier", value: "gold" }],
  }, { expression: "'x' != lower(request.lastUserMessage.content) && length(request.system) > 5" });
  const lefts = (hidesMessageText: boolean) =>
    evaluateRouting(routing, sampleFacts(), { ...fixed, hidesMessageText, evaluateAll: true }).trace
      .routes.flatMap(({ conditions }) => conditions!.map(({ left, right }) => [left, right]));
  const text = "The yearly report";
  expect(lefts(false)).toEqual([
    [text, "r"],
    [["END", "STOP"], "END"],
    ["fast", "fast"],
    ["gold", "gold"],
    ["x", text.toLowerCase()],
    [8, 5],
  ]);
  expect(lefts(true)).toEqual([
    [{ length: text.length }, "r"],
    [{ length: 2 }, "END"],
    ["fast", "fast"],
    ["gold", "gold"],
    ["x", { length: text.length }],
    [8, 5],
  ]);
});

test("the trace can do without conditions", () => {
  const { trace } = evaluateRouting(compile({ if: [yes] }), sampleFacts(), {
    ...fixed,
    tracesConditions: false,
  });
  expect(trace.routes[0]).toMatchObject({ result: "matched", conditions: [] });
});

test("a trace of rules that did not run tells why", () => {
  expect(skippedTrace("secondary", 3)).toEqual({
    evaluated: false,
    skippedReason: "secondary",
    durationMs: 0,
    revision: 3,
    selected: null,
    routes: [],
  });
});

test("a draw below the traffic wins, one at or above it goes on", () => {
  const routing = compile({ if: [], ...share(50) }, { if: [] });
  const at = (draw: number) => results(routing, { draws: { r0: draw } });
  expect(at(49.99)).toEqual(["matched", "skipped"]);
  expect(at(50)).toEqual(["traffic_miss", "matched"]);
  const { trace } = evaluateRouting(routing, sampleFacts(), { ...fixed, random: () => 0.7 });
  expect(trace.routes[0]).toMatchObject({ traffic: 50, draw: 70, result: "traffic_miss" });
  expect(trace.routes[1]!.draw).toBeUndefined();
});

test("0 percent never wins, and a route that takes all draws nothing", () => {
  expect(results(compile({ if: [], ...share(0) }), { random: () => 0 })).toEqual(["traffic_miss"]);
  const random = () => {
    throw new Error("It drew");
  };
  expect(results(compile({ if: [] }), { random })).toEqual(["matched"]);
  expect(results(compile({ if: [no], ...share(50) }), { random })).toEqual(["not_matched"]);
});

test("half, and half of the rest, make 50, 25 and 25 percent of 10,000 requests", () => {
  const routing = compile({ if: [], ...share(50) }, { if: [], ...share(50) });
  const count = new Map<string, number>();
  const facts = sampleFacts();
  // A linear congruential generator: the test says the same each time.
  let seed = 42;
  const random = () => (seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
  for (let at = 0; at < 10_000; at++) {
    const unlimited: RoutingFacts = { ...facts, step: () => true };
    const id = evaluateRouting(routing, unlimited, { ...fixed, random }).selected?.routeId ??
      "none";
    count.set(id, (count.get(id) ?? 0) + 1);
  }
  expect(Math.abs(count.get("r0")! / 100 - 50)).toBeLessThan(3);
  expect(Math.abs(count.get("r1")! / 100 - 25)).toBeLessThan(3);
  expect(Math.abs(count.get("none")! / 100 - 25)).toBeLessThan(3);
});

/** A condition with the value it has. */
const leaf = fc.constantFrom(
  { rule: yes, value: true },
  { rule: no, value: false },
  { rule: broken, value: false },
  { rule: { ...yes, enabled: false }, value: undefined },
);

interface Model {
  readonly rule: object;
  /** Undefined when the part is left out. */
  readonly value: boolean | undefined;
}

const { node } = fc.letrec<{ node: Model }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, leaf, groupOf(tie("node"))),
}));

function groupOf(member: fc.Arbitrary<Model>): fc.Arbitrary<Model> {
  return fc.record({
    operator: fc.constantFrom("AND" as const, "OR" as const),
    members: fc.array(member, { maxLength: 4 }),
    enabled: fc.boolean(),
  }).map(({ operator, members, enabled }) => {
    const values = members.map(({ value }) => value).filter((value) => value !== undefined);
    const isLeftEmpty = members.length > 0 && values.length === 0;
    return {
      rule: { type: "group", operator, enabled, conditions: members.map(({ rule }) => rule) },
      value: !enabled || isLeftEmpty
        ? undefined
        : operator === "AND"
        ? values.every(Boolean)
        : values.some(Boolean),
    };
  });
}

const routeModels = fc.array(
  fc.record({ model: groupOf(node), traffic: fc.constantFrom(null, 0, 30, 100), draw: fc.nat(99) }),
  { maxLength: 6 },
);

test("order, groups and traffic decide as the rules say, whatever they are", () => {
  fc.assert(
    fc.property(routeModels, (models) => {
      const routing = compile(
        ...models.map(({ model, traffic }) => ({ ...model.rule, then: { ...slot, traffic } })),
      );
      const draws = Object.fromEntries(models.map(({ draw }, index) => [`r${index}`, draw]));
      const expected = models.findIndex(({ model, traffic, draw }) =>
        model.value === true && (traffic === null || draw < traffic)
      );
      const { selected } = evaluateRouting(routing, sampleFacts(), { ...fixed, draws });
      expect(selected?.routeId).toBe(expected < 0 ? undefined : `r${expected}`);
    }),
    { numRuns: 500 },
  );
});

test("evaluating everything decides the same and gives each route the same result", () => {
  fc.assert(
    fc.property(routeModels, fc.infiniteStream(fc.nat(99)), (models, stream) => {
      const routing = compile(
        ...models.map(({ model, traffic }) => ({ ...model.rule, then: { ...slot, traffic } })),
      );
      const drawn = [...stream.take(models.length)];
      const run = (evaluateAll: boolean) => {
        let at = 0;
        const random = () => drawn[at++]! / 100;
        return evaluateRouting(routing, sampleFacts(), { ...fixed, random, evaluateAll });
      };
      const [normal, full] = [run(false), run(true)];
      expect(full.selected).toBe(normal.selected);
      expect(full.errors).toBe(normal.errors);
      expect(full.trace.routes.map(({ result }) => result))
        .toEqual(normal.trace.routes.map(({ result }) => result));
      const left = full.trace.routes.flatMap(({ conditions }) => conditions!)
        .filter(({ result }) => result === "not_evaluated");
      expect(left).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
