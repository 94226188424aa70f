import type { JsonObject, RequestFacts, RoutingEvaluator } from "../contract/index.ts";
import { type CompiledRouting, compileRouting, type RoutingEvaluators } from "./compile-routing.ts";
import { createBudget } from "./budget.ts";
import { normaliseRouting } from "./normalise-routing.ts";
import { createRoutingFacts, type FactSource } from "./routing-facts.ts";

/** The built-in evaluators, loaded the way the host loads plugins: by path, at run time. */
export async function loadEvaluators(): Promise<RoutingEvaluators> {
  const [UI, ADVANCED] = await Promise.all([load("conditions"), load("jexl")]);
  return { UI, ADVANCED };
}

async function load(id: string): Promise<RoutingEvaluator> {
  const entry = new URL(`../../plugins/routing-${id}/index.ts`, import.meta.url);
  const { default: plugin } = await import(entry.href);
  let provided: RoutingEvaluator | undefined;
  await plugin.activate({
    provide: (_point: string, _id: string, evaluator: RoutingEvaluator) => (provided = evaluator),
  });
  return provided!;
}

/** A slot as it is sent. */
export const slot = { connectionId: "11111111-1111-4111-8111-111111111111", model: "other" };

/** Compiles routes of either spelling; a route without `then` gets a slot. */
export function compileRoutes(
  routes: readonly object[],
  evaluators: RoutingEvaluators,
): CompiledRouting {
  const conditions = routes.map((route, index) => ({ id: `r${index}`, then: slot, ...route }));
  return compileRouting(normaliseRouting({ enabled: true, conditions }), evaluators);
}

/** A chat request to make facts of. */
export const sampleBody = {
  model: "fast",
  temperature: 0.2,
  user: "user-7",
  stream: false,
  metadata: { from: "body" },
  stop: ["END", "STOP"],
  messages: [
    { role: "system", content: "Be brief" },
    { role: "user", content: "Summarise the report" },
    { role: "assistant", content: "Which one?" },
    { role: "user", content: "The yearly report" },
  ],
} satisfies JsonObject;

const sampleInspection: RequestFacts = {
  stream: false,
  messages: sampleBody.messages.slice(1),
  system: "Be brief",
  toolsCount: 0,
  hasImages: false,
  hasFiles: false,
  inputTokens: 42,
  maxOutputTokens: undefined,
};

/** Where the facts of the sample request come from; members given replace it. */
export function sampleSource(given: Partial<FactSource> = {}): FactSource {
  return {
    inspection: sampleInspection,
    mergedBody: sampleBody,
    nativeBody: { ...sampleBody, vmx: { metadata: { tier: "gold" } } },
    metadata: { tier: "gold", "odd key": "yes", user: "u-1" },
    apiKey: { name: "reports", labels: ["internal", "batch"] },
    sourceIp: "10.1.2.3",
    resource: { name: "fast", model: { provider: "echo", model: "echo-1" } },
    format: "chat-completions",
    // Sunday, 2026-03-01
    now: Date.UTC(2026, 2, 1, 9, 30),
    live: {
      errorRate: ({ statusCode }) => statusCode === "any" ? 25 : 5,
      capacityUsage: () => ({ totalRequests: 7, requestsUsagePercent: null }),
      latency: () => null,
    },
    budget: createBudget({ monotonic: () => 0 }),
    ...given,
  };
}

/** Facts of the sample request. */
export function sampleFacts(
  given: Partial<FactSource> = {},
): ReturnType<typeof createRoutingFacts> {
  return createRoutingFacts(sampleSource(given));
}

/** Options of an evaluation in which nothing is left to chance. */
export const fixed = { random: () => 0, monotonic: () => 0, revision: 7 };
