import { deepEqual, doesNotThrow, equal, ok } from "node:assert/strict";
import { cpuUsage } from "node:process";
import { GatewayError } from "../contract/errors.ts";
import type { Json, JsonObject } from "../contract/json.ts";
import {
  budgetSpent,
  type RoutingEvaluator,
  type RoutingFacts,
  type RuleResult,
} from "../contract/routing.ts";
import { plainCopy, readMember } from "../kit/json-value.ts";
import type { Case } from "./case.ts";

/** What the suite needs of a routing evaluator. Rules are routes in their stored form. */
export interface RoutingSubject {
  create(): RoutingEvaluator | Promise<RoutingEvaluator>;
  /** Rules that are true of `sampleVariables`. */
  readonly matching: readonly JsonObject[];
  /** Rules that are not. */
  readonly failing: readonly JsonObject[];
  /** Rules that must be refused, with the JSON pointer of the member at fault. */
  readonly invalid: readonly { readonly rule: JsonObject; readonly path: string }[];
  /** Rules of people who mean harm: refused or harmless, and quickly. */
  readonly hostile: readonly JsonObject[];
}

/** The request the suite's rules are evaluated against. */
export const sampleVariables = {
  tokens: { input: 1200 },
  requestTokens: 1200,
  hasTools: true,
  hasImages: false,
  hasFiles: false,
  request: {
    model: "fast",
    stream: false,
    temperature: 0.5,
    user: "user-7",
    messagesCount: 2,
    toolsCount: 1,
    format: "chat-completions",
    messages: [
      { role: "user", content: "Summarise the report" },
      { role: "assistant", content: "Which report?" },
    ],
    lastUserMessage: { role: "user", content: "Summarise the report" },
    system: "Be brief",
    metadata: { tier: "gold" },
  },
  metadata: { tier: "gold", "odd key": "yes" },
  apiKey: { name: "reports", labels: ["internal", "batch"] },
  sourceIp: "10.1.2.3",
  resource: { name: "fast", model: { provider: "echo", model: "echo-1" } },
  now: { hour: 9, minute: 30, weekday: 1, date: "2026-03-02" },
} as const;

/** Longest time a hostile rule may take, in milliseconds; the best of five tries counts. */
const hostileLimitMs = 50;

/** What every `RoutingEvaluator` must do. */
export function routingCases(subject: RoutingSubject): readonly Case[] {
  const every = async (
    rules: readonly JsonObject[],
    check: (evaluate: Evaluate, rule: JsonObject) => void,
  ): Promise<void> => {
    const evaluator = await subject.create();
    ok(rules.length > 0, "the subject brings no rules");
    for (const rule of rules) {
      const compiled = evaluator.compile(rule);
      check((facts = sampleFacts(), options = {}) => compiled.evaluate(facts, options), rule);
    }
  };
  const all = [...subject.matching, ...subject.failing];
  return [
    {
      name: "matches what is true of the request and nothing else",
      async run() {
        await every(
          subject.matching,
          (evaluate, rule) => equal(evaluate().matched, true, text(rule)),
        );
        await every(
          subject.failing,
          (evaluate, rule) => equal(evaluate().matched, false, text(rule)),
        );
      },
    },
    {
      name: "answers at once, the same each time, and gives its reasons as JSON",
      run: () =>
        every(all, (evaluate, rule) => {
          const result = evaluate();
          equal(typeof result.matched, "boolean", "the verdict is there, not a promise of it");
          deepEqual(evaluate(), result, text(rule));
          for (const condition of result.conditions) {
            ok(/^\d+(\.\d+)*$/.test(condition.path), condition.path);
            ok([true, false, "not_evaluated"].includes(condition.result));
            doesNotThrow(() => JSON.stringify(condition));
          }
        }),
    },
    {
      name: "decides the same when every condition is evaluated, and then leaves none out",
      run: () =>
        every(all, (evaluate, rule) => {
          const full = evaluate(sampleFacts(), { evaluateAll: true });
          equal(full.matched, evaluate().matched, text(rule));
          ok(full.conditions.every(({ result }) => result !== "not_evaluated"), text(rule));
          equal(full.conditions.length, evaluate().conditions.length);
        }),
    },
    {
      name: "does not match and tells why when a variable or function fails",
      run: () =>
        every(all, (evaluate, rule) => {
          const facts = sampleFacts();
          const fail = (): never => {
            throw new Error("the fact is away");
          };
          const result = evaluate({ ...facts, variable: fail, call: fail });
          ok(result.error === undefined || result.error === "the fact is away", text(rule));
          equal(typeof result.matched, "boolean");
        }),
    },
    {
      name: "stops when the budget is spent",
      run: () =>
        every(all, (evaluate, rule) => {
          let steps = 0;
          const facts = sampleFacts();
          evaluate({ ...facts, step: () => ++steps > 0 });
          for (let most = 0; most < steps; most++) {
            let left = most;
            const result = evaluate({ ...facts, step: () => left-- > 0 });
            if (result.error === undefined) continue;
            equal(result.error, budgetSpent, text(rule));
            equal(result.matched, false, text(rule));
          }
        }),
    },
    {
      name: "refuses a faulty rule with the place of the fault",
      async run() {
        const evaluator = await subject.create();
        for (const { rule, path } of subject.invalid) {
          const error = refusal(evaluator, rule);
          ok(error, `accepted ${text(rule)}`);
          equal(error.code, "EXPRESSION_INVALID", text(rule));
          deepEqual(error.faults?.map((fault) => fault.path), [path], text(rule));
        }
      },
    },
    {
      name: "refuses a hostile rule or evaluates it harmlessly, in 50 ms",
      async run() {
        const before = text(sampleVariables);
        const evaluator = await subject.create();
        const slow: string[] = [];
        for (const rule of subject.hostile) {
          let best = Infinity;
          for (let attempt = 0; attempt < 5 && best > hostileLimitMs; attempt++) {
            best = Math.min(best, workOf(() => evaluateHostile(evaluator, rule)));
          }
          if (best > hostileLimitMs) slow.push(`${text(rule).slice(0, 120)}: ${best} ms`);
        }
        deepEqual(slow, []);
        equal(text(sampleVariables), before);
        equal(({} as Record<string, unknown>)["polluted"], undefined);
      },
    },
  ];
}

/** Milliseconds a call keeps the thread busy: what a crowded machine does beside it does not count. */
function workOf(call: () => void): number {
  const startedAt = performance.now();
  const before = cpuUsage();
  call();
  const { user, system } = cpuUsage(before);
  return Math.min(performance.now() - startedAt, (user + system) / 1_000);
}

/** Facts of `sampleVariables`; functions answer plain values. */
export function sampleFacts(): RoutingFacts {
  const variables = plainCopy(sampleVariables as unknown as Json);
  return {
    variable: (path) =>
      path.reduce<Json | undefined>((value, name) => readMember(value, name), variables),
    call(name, args) {
      const [first, second] = args;
      switch (name) {
        case "errorRate":
          return 25;
        case "latency":
          return null;
        case "capacityUsage":
          return plainCopy({
            totalRequests: 7,
            requestsUsagePercent: null,
            tokensUsagePercent: 90,
          });
        case "length":
          return Array.isArray(first) || typeof first === "string" ? first.length : undefined;
        case "contains":
          return typeof first === "string" && typeof second === "string" && first.includes(second);
        case "lower":
          return typeof first === "string" ? first.toLowerCase() : undefined;
        case "hash":
          return typeof first === "string" ? first.length % Number(second) : undefined;
        default:
          return undefined;
      }
    },
    step: () => true,
  };
}

type Evaluate = (
  facts?: RoutingFacts,
  options?: { readonly evaluateAll?: boolean },
) => RuleResult;

/** Compiles and, if that passes, evaluates with a budget as small as the gateway's. */
function evaluateHostile(evaluator: RoutingEvaluator, rule: JsonObject): void {
  let compiled;
  try {
    compiled = evaluator.compile(rule);
  } catch (error) {
    ok(error instanceof GatewayError, `${text(rule)}: ${String(error)}`);
    equal(error.code, "EXPRESSION_INVALID");
    ok(error.message.length < 2000, "the refusal repeats the whole rule");
    return;
  }
  let steps = 10_000;
  const facts: RoutingFacts = { ...sampleFacts(), step: (count = 1) => (steps -= count) >= 0 };
  for (const evaluateAll of [false, true]) {
    const { conditions, matched } = compiled.evaluate(facts, { evaluateAll });
    equal(typeof matched, "boolean");
    for (const { left, right } of conditions) for (const value of [left, right]) isPlain(value);
  }
}

/** Nothing that can run, wait or lead out of plain data may come out of a rule. */
function isPlain(value: unknown): void {
  ok(!["function", "symbol", "bigint"].includes(typeof value), `a ${typeof value} came out`);
  if (typeof value !== "object" || value === null) return;
  const prototype = Object.getPrototypeOf(value);
  ok(prototype === null || prototype === Array.prototype, "an object with a prototype came out");
  for (const member of Object.values(value)) isPlain(member);
}

function refusal(evaluator: RoutingEvaluator, rule: JsonObject): GatewayError | undefined {
  try {
    evaluator.compile(rule);
    return undefined;
  } catch (error) {
    ok(error instanceof GatewayError, String(error));
    return error;
  }
}

function text(value: unknown): string {
  return JSON.stringify(value);
}
