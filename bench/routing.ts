/*
 * What routing costs: CPU microseconds per request of the whole stage, from the body as parsed to the decision with
 * its trace.
 *
 *   node bench/routing.ts [--rounds N]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Routing } from "@vmx/schemas";
import { acceptRouting } from "../core/gateway/accept-routing.ts";
import type { RoutingQuestion } from "../core/gateway/router.ts";
import { startTestGateway, type TestGateway } from "../core/gateway/testing.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "200000" } },
});
const rounds = Number(options.rounds);
const gateway = await startTestGateway();
const echo = gateway.snapshot.setConnection("echo", "echo");
const slot = { connectionId: echo.connectionId, provider: "echo", model: "echo" };

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

await measure("no rules", undefined);
await measure("no enabled rule", []);
await measure(
  "ten structured rules",
  conditions.map(([expression, comparator, value]) => ({
    conditions: [{ expression, comparator, value }],
  })),
);
await measure("ten expressions", expressions.map((expression) => ({ expression })));
await gateway.stop();

async function measure(name: string, rules: readonly object[] | undefined): Promise<void> {
  const question = await ask(gateway, rules);
  await run(question, rounds / 4);
  let best = Infinity;
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = process.cpuUsage();
    await run(question, rounds / 5);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / (rounds / 5));
  }
  console.log(`${name}: ${best.toFixed(2)} us CPU per request`);
}

/** A request to a resource with the rules given. */
async function ask(
  { dialect, host, services, snapshot }: TestGateway,
  rules: readonly object[] | undefined,
): Promise<RoutingQuestion> {
  const conditions = rules?.map((rule) => ({ ...rule, then: slot })) ?? [];
  const routing = rules && await acceptRouting({ enabled: true, conditions }, null, host);
  const resource = snapshot.setResource("fast", slot, {
    routing: (routing ?? null) as unknown as Routing | null,
  });
  const [environment] = services.snapshot().environments.values();
  const [apiKey] = services.snapshot().apiKeysByHash.values();
  const inbound = (await dialect("openai-chat")).inbound!;
  const body = {
    model: "fast",
    messages: [{ role: "user", content: "What is the capital of France?" }],
  };
  return {
    caller: { kind: "api-key", apiKey: apiKey!, environment: environment! },
    target: { kind: "resource", resource },
    envelope: { metadata: { tier: "bronze" } },
    body,
    merged: () => ({ body, facts: inbound.inspect(body, "chat") }),
    format: inbound.format,
    sourceIp: "127.0.0.1",
    now: 1_772_000_000_000,
    revision: services.snapshot().revision,
  };
}

async function run(question: RoutingQuestion, times: number): Promise<void> {
  for (let at = 0; at < times; at++) {
    const decision = await gateway.services.router.decide(question);
    if (decision?.selected) throw new Error("No rule should match");
  }
}
