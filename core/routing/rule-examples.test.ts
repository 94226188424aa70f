import { expect, test } from "vitest";
import { evaluateRouting } from "./evaluate-routing.ts";
import {
  compileRoutes,
  fixed,
  loadEvaluators,
  sampleBody,
  sampleFacts,
  sampleSource,
} from "./testing.ts";

const evaluators = await loadEvaluators();

/** Whether a route of either spelling matches the sample request. */
function matches(route: object, given: Parameters<typeof sampleFacts>[0] = {}): boolean {
  const routing = compileRoutes([route], evaluators);
  return evaluateRouting(routing, sampleFacts(given), fixed).selected !== null;
}

const { inspection, live } = sampleSource();
const usage = { tokensUsagePercent: 91, requestsUsagePercent: null, remainingRequests: 3 };
const given = {
  long: { inspection: { ...inspection, inputTokens: 9000 } },
  tools: { inspection: { ...inspection, toolsCount: 2 } },
  images: { inspection: { ...inspection, hasImages: true } },
  calm: { live: { ...live, errorRate: () => 0 } },
  busy: { live: { ...live, capacityUsage: () => usage } },
  away: { live: { ...live, capacityUsage: () => null } },
  slow: { live: { ...live, latency: () => 2500 } },
  night: { now: Date.UTC(2026, 2, 3, 2) },
  silver: { metadata: { tier: "silver" } },
  hot: { mergedBody: { ...sampleBody, temperature: 1.5 } },
} as const;

type Given = keyof typeof given;

/** Rules people write, as conditions and as expressions, with what makes them true or false. */
const examples: [what: string, rules: object[], on: Given | undefined, off: Given | undefined][] = [
  [
    "prompts longer than 4,000 tokens",
    [
      { if: [{ field: "requestTokens", operator: "greaterThan", value: 4000 }] },
      { if: [{ expression: "tokens.input", comparator: "GREATER_THAN", value: 4000 }] },
      { expression: "tokens.input > 4000" },
      { expression: "<%= requestTokens > 4000 %>" },
    ],
    "long",
    undefined,
  ],
  [
    "requests with tools",
    [
      { if: [{ field: "hasTools", operator: "equals", value: true }] },
      { expression: "request.toolsCount > 0" },
      { expression: "hasTools" },
    ],
    "tools",
    undefined,
  ],
  [
    "requests with images",
    [
      { if: [{ field: "hasImages", operator: "equals", value: true }] },
      { expression: "hasImages" },
    ],
    "images",
    undefined,
  ],
  [
    "an error rate above 20 percent",
    [
      { if: [{ field: "errorRate", operator: "greaterThan", value: 20, window: 5 }] },
      { if: [{ expression: "errorRate(5, 'any')", comparator: "GREATER_THAN", value: 20 }] },
      { expression: "errorRate(5) > 20" },
    ],
    undefined,
    "calm",
  ],
  [
    "too many answers 429",
    [
      { if: [{ field: "errorRate", operator: "greaterThanOrEquals", value: 5, statusCode: 429 }] },
      { expression: "errorRate(10, 429) >= 5" },
    ],
    undefined,
    "calm",
  ],
  [
    "a last user message about the year",
    [
      { if: [{ field: "request.lastUserMessage.content", operator: "contains", value: "yearly" }] },
      {
        if: [{ field: "request.lastUserMessage.content", operator: "matches", value: "(?i)YEAR" }],
      },
      { expression: "contains(request.lastUserMessage.content, 'yearly')" },
      { expression: "request.lastUserMessage.content|lower|matches('year')" },
    ],
    undefined,
    undefined,
  ],
  [
    "prompts longer than 20 characters",
    [
      { if: [{ field: "request.allMessagesContent.length", operator: "greaterThan", value: 20 }] },
      { expression: "length(request.allMessagesContent) > 20" },
    ],
    undefined,
    undefined,
  ],
  [
    "a team, written as for JavaScript",
    [
      { if: [{ expression: "request.metadata?.['tier']", comparator: "EQUAL", value: "gold" }] },
      {
        if: [{
          expression: "<% return request.metadata?.['tier'] %>",
          comparator: "EQUAL",
          value: "gold",
        }],
      },
    ],
    undefined,
    "silver",
  ],
  [
    "the provider of the primary",
    [
      { if: [{ field: "provider", operator: "equals", value: "echo" }] },
      { expression: "resource.model.provider == 'echo'" },
    ],
    undefined,
    undefined,
  ],
  [
    "any message that asks for a summary",
    [
      { if: [{ field: "request.allMessagesContent", operator: "contains", value: "Summarise" }] },
      { expression: "length(request.messages[contains(.content, 'Summarise')]) > 0" },
    ],
    undefined,
    undefined,
  ],
  [
    "gold customers",
    [
      { if: [{ field: "metadata.tier", operator: "equals", value: "gold" }] },
      { if: [{ field: "metadata.tier", operator: "in", value: ["gold", "platinum"] }] },
      { expression: "metadata.tier == 'gold'" },
      { expression: "request.metadata.tier in ['gold', 'platinum']" },
    ],
    undefined,
    "silver",
  ],
  [
    "metadata with an odd key",
    [
      { if: [{ field: 'metadata["odd key"]', operator: "exists" }] },
      { expression: 'metadata["odd key"] == "yes"' },
    ],
    undefined,
    "silver",
  ],
  [
    "a token limit that is nearly used up",
    [
      {
        if: [{
          expression: "capacityUsage('minute').tokensUsagePercent",
          comparator: "GREATER_THAN",
          value: 90,
        }],
      },
      { expression: "capacityUsage('minute').tokensUsagePercent > 90" },
      { expression: "capacityUsage().remainingRequests < 5" },
    ],
    "busy",
    "away",
  ],
  [
    "a slow primary",
    [
      { if: [{ expression: "latency(95, 5)", comparator: "GREATER_THAN", value: 2000 }] },
      { expression: "latency(95, 5) > 2000" },
    ],
    "slow",
    undefined,
  ],
  [
    "nights",
    [{
      if: [{ field: "now.hour", operator: "lessThan", value: 6 }],
    }, { expression: "now.hour < 6 && now.weekday in [1, 2, 3, 4, 5]" }],
    "night",
    undefined,
  ],
  [
    "creative requests",
    [
      { if: [{ field: "request.temperature", operator: "greaterThan", value: 1 }] },
      { expression: "request.temperature > 1" },
    ],
    "hot",
    undefined,
  ],
  [
    "one key's label",
    [
      { if: [{ field: "apiKey.labels", operator: "contains", value: "batch" }] },
      { expression: "'batch' in apiKey.labels && apiKey.name == 'reports'" },
    ],
    undefined,
    undefined,
  ],
];

const cases = examples.flatMap(([what, rules, on, off]) =>
  rules.map((rule) => [what, rule, on, off] as const)
);

test.each(cases)("%s: %j", (_what, rule, on, off) => {
  expect(matches(rule, on && given[on])).toBe(true);
  if (on) expect(matches(rule)).toBe(false);
  if (off) expect(matches(rule, given[off])).toBe(false);
});

test("a sticky split gives each user one side for good, and the sides their shares", () => {
  const routing = compileRoutes([{ expression: "hash(metadata.user, 100) < 20" }], evaluators);
  const isSelected = (user: string): boolean =>
    evaluateRouting(routing, sampleFacts({ metadata: { user } }), fixed).selected !== null;
  let count = 0;
  for (let at = 0; at < 10_000; at++) if (isSelected(`user-${at}`)) count++;
  expect(Math.abs(count / 100 - 20)).toBeLessThan(3);
  expect(isSelected("user-1")).toBe(isSelected("user-1"));
  expect(matches({ expression: "hash(metadata.user, 100) < 101" }, given.silver)).toBe(false);
});
