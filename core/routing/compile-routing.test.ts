import { expect, test } from "vitest";
import { GatewayError } from "../contract/errors.ts";
import { compileRouting, compileStoredRouting, createRoutingCache } from "./compile-routing.ts";
import { evaluateRouting } from "./evaluate-routing.ts";
import { normaliseRouting } from "./normalise-routing.ts";
import { compileRoutes, fixed, loadEvaluators, sampleFacts, slot } from "./testing.ts";

const evaluators = await loadEvaluators();
const faulty = normaliseRouting({
  enabled: true,
  conditions: [
    { id: "fine", expression: "true", then: slot },
    { id: "unknown", expression: "request.model == modell", then: slot },
    {
      id: "pattern",
      enabled: false,
      conditions: [{
        conditions: [{ expression: "request.model", comparator: "PATTERN", value: "(" }],
      }],
    },
  ],
});

function refusal(): GatewayError {
  try {
    compileRouting(faulty, evaluators);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error("It was accepted");
}

test("every rule that is refused is told, by route, position and cause", () => {
  const error = refusal();
  expect(error.code).toBe("EXPRESSION_INVALID");
  expect(error.message).toBe(
    'Cannot accept routing.conditions[1].expression: unknown name "modell" at position 17',
  );
  expect(error.faults).toEqual([
    {
      path: "/routing/conditions/1/expression",
      code: "EXPRESSION_INVALID",
      message: 'unknown name "modell" at position 17',
    },
    {
      path: "/routing/conditions/2/conditions/0/conditions/0/value/expression",
      code: "EXPRESSION_INVALID",
      message: "missing closing ): `(`",
    },
  ]);
});

test("a stored rule that is refused all the same never matches and says why", () => {
  const compiled = compileStoredRouting(
    { ...faulty, conditions: faulty.conditions.toReversed() },
    evaluators,
  );
  const { trace, selected, errors } = evaluateRouting(compiled, sampleFacts(), fixed);
  expect(trace.routes.map(({ result, error }) => [result, error])).toEqual([
    ["disabled", undefined],
    ["error", 'unknown name "modell" at position 17'],
    ["matched", undefined],
  ]);
  expect(selected?.routeId).toBe("fine");
  expect(errors).toBe(1);
});

test("a mode whose plugin is away is refused when saved and skipped over when stored", () => {
  const routing = normaliseRouting({ conditions: [{ expression: "true", then: slot }] });
  const without = { ...evaluators, ADVANCED: undefined };
  expect(() => compileRouting(routing, without)).toThrow(
    "no plugin evaluates rules of mode ADVANCED",
  );
  const { trace } = evaluateRouting(compileStoredRouting(routing, without), sampleFacts(), fixed);
  expect(trace.routes[0]).toMatchObject({ result: "error" });
});

test("a stored block is compiled once", () => {
  const routing = normaliseRouting({ conditions: [{ expression: "true", then: slot }] });
  const compiledFor = createRoutingCache(() => evaluators);
  expect(compiledFor(routing)).toBe(compiledFor(routing));
  expect(compiledFor({ ...routing })).not.toBe(compiledFor(routing));
});

test("a route whose every condition is disabled is left out, one without conditions is not", () => {
  const off = { expression: "request.model", comparator: "EXISTS", enabled: false };
  const { routes } = compileRoutes([
    { if: [off] },
    { if: [off, { conditions: [off] }] },
    { if: [] },
    { if: [off, { conditions: [] }] },
  ], evaluators);
  expect(routes.map(({ enabled }) => enabled)).toEqual([false, false, true, true]);
});
