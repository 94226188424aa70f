/*
 * What routing costs: CPU microseconds per request of the whole stage, facts and trace included.
 *
 *   node bench/routing.ts [--rounds N]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import {
  type CompiledRouting,
  compileRouting,
  createBudget,
  createRoutingFacts,
  evaluateRouting,
  normaliseRouting,
} from "../core/routing/index.ts";
import { createConditionsEvaluator } from "../plugins/routing-conditions/evaluator.ts";
import { createJexlEvaluator } from "../plugins/routing-jexl/evaluator.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "200000" } },
});
const rounds = Number(options.rounds);
const evaluators = { UI: createConditionsEvaluator(), ADVANCED: createJexlEvaluator() };
const slot = { connectionId: "00000000-0000-4000-8000-000000000000", model: "other" };

/** Conditions no request of the benchmark meets, so that all of them are evaluated. */
const conditions = [
  ["tokens.input", "GREATER_THAN", 100_000],
  ["request.toolsCount > 0", "EQUAL", true],
  ["request.model", "EQUAL", "another"],
  ["metadata.tier", "IN", "gold, silver"],
  ["errorRate(10, 'any')", "GREATER_THAN", 50],
  ["request.lastUserMessage.content", "CONTAINS", "translate"],
  ["request.lastUserMessage.content", "PATTERN", "(?i)^summari[sz]e"],
  ["apiKey.labels", "CONTAINS", "batch"],
  ["now.hour", "LESS_THAN", 0],
  ["request.messagesCount", "GREATER_THAN_OR_EQUAL", 40],
] as const;
const expressions = [
  "tokens.input > 100000",
  "request.toolsCount > 0",
  "request.model == 'another'",
  "metadata.tier in ['gold', 'silver']",
  "errorRate(10, 'any') > 50",
  "contains(request.lastUserMessage.content, 'translate')",
  "matches(request.lastUserMessage.content, '(?i)^summari[sz]e')",
  "'batch' in apiKey.labels",
  "now.hour < 0",
  "request.messagesCount >= 40",
];

measure("nothing but the facts", []);
measure(
  "ten structured rules",
  conditions.map(([expression, comparator, value]) => ({
    conditions: [{ expression, comparator, value }],
  })),
);
if (!process.env["ONLY"]) {
  measure("ten expressions", expressions.map((expression) => ({ expression })));
}

function measure(name: string, rules: readonly object[]): void {
  const routing = compile(rules);
  run(routing, rounds / 4);
  let best = Infinity;
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = process.cpuUsage();
    run(routing, rounds / 5);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / (rounds / 5));
  }
  console.log(`${name}: ${best.toFixed(2)} us CPU per request`);
}

function compile(rules: readonly object[]): CompiledRouting {
  const conditions = rules.map((rule) => ({ ...rule, then: slot }));
  return compileRouting(normaliseRouting({ enabled: true, conditions }), evaluators);
}

function run(routing: CompiledRouting, times: number): void {
  const monotonic = () => performance.now();
  const body = {
    model: "fast",
    messages: [{ role: "user", content: "What is the capital of France?" }],
  };
  for (let at = 0; at < times; at++) {
    const facts = createRoutingFacts({
      inspection: {
        stream: false,
        messages: body.messages,
        system: "",
        toolsCount: 0,
        hasImages: false,
        hasFiles: false,
        inputTokens: 15,
        maxOutputTokens: undefined,
      },
      mergedBody: body,
      nativeBody: body,
      metadata: { tier: "bronze" },
      apiKey: { name: "reports", labels: ["internal"] },
      sourceIp: "127.0.0.1",
      resource: { name: "fast", model: slot },
      format: "chat-completions",
      now: 1_772_000_000_000,
      live: { errorRate: () => 0, capacityUsage: () => null, latency: () => null },
      budget: createBudget({ monotonic }),
    });
    const { selected } = evaluateRouting(routing, facts, {
      random: Math.random,
      monotonic,
      revision: 1,
    });
    if (selected) throw new Error("No rule should match");
  }
}
