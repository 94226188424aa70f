import type { Routing, RoutingPatch, RoutingTrace } from "@vmx/schemas";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../contract/index.ts";
import type { ResourceView, SlotView } from "../store/snapshot.ts";
import { acceptRouting } from "./accept-routing.ts";
import { dryRun } from "./dry-run.ts";
import type { Outcome } from "./exchange.ts";
import { serve } from "./pipeline.ts";
import { createSlot, startTestGateway, type TestGateway } from "./testing.ts";

let gateway: TestGateway;
let slots: Record<string, SlotView>;

beforeAll(async () => {
  gateway = await startTestGateway();
  const connect = (name: string, extra: object = {}) =>
    gateway.snapshot.setConnection(name, "echo", extra).connectionId;
  const [off, strict, open] = [
    connect("off", { enabled: false }),
    connect("strict", { allowedModels: ["echo"] }),
    connect("open"),
  ];
  const slot = (connectionId: string, model: string, extra: Partial<SlotView> = {}) =>
    createSlot({ connectionId, provider: "echo", model, ...extra });
  slots = {
    works: slot(open, "echo"),
    worksToo: slot(open, "echo-tokens-3", { timeoutMs: 60_000 }),
    fails: slot(open, "echo-status-503"),
    refuses: slot(open, "echo-status-400"),
    off: slot(off, "echo"),
    strict: slot(strict, "echo-tokens-3"),
    gone: slot(crypto.randomUUID(), "echo"),
  };
});
afterAll(() => gateway.stop());

const endpoint = { dialect: "openai-chat", operation: "chat", name: "CHAT_COMPLETIONS" } as const;

/** What a live request comes to. */
async function live(body: JsonObject, headers: Record<string, string>): Promise<Outcome> {
  return await serve(
    {
      endpoint,
      path: undefined,
      query: "",
      headers: { ...headers, authorization: `Bearer ${gateway.apiKey}` },
      duplicateCredential: false,
      sourceIp: "10.1.2.3",
      readBody: () => Promise.resolve(Buffer.from(JSON.stringify(body))),
    },
    { head() {}, write: () => undefined, end() {}, onGone() {} },
    gateway.services,
  );
}

/** What the dry run says of the same request. */
async function dry(
  body: JsonObject,
  headers: Record<string, string>,
  draws: Record<string, number>,
) {
  const snapshot = gateway.services.snapshot();
  const [apiKey] = snapshot.apiKeysByHash.values();
  const environment = snapshot.environments.get(apiKey!.environmentId)!;
  return await dryRun(
    {
      caller: { kind: "api-key", apiKey: apiKey!, environment },
      endpoint,
      body,
      headers,
      sourceIp: "10.1.2.3",
      assumptions: { draws },
    },
    gateway.services,
  );
}

/** A trace without what differs from one evaluation to the next. */
function decisions(trace: RoutingTrace | undefined) {
  return trace && {
    ...trace,
    durationMs: 0,
    routes: trace.routes.map((route) => ({
      ...route,
      durationUs: 0,
      draw: route.draw === undefined ? undefined : Number(route.draw.toFixed(9)),
      conditions: route.conditions?.map((condition) => ({ ...condition, durationUs: 0 })),
    })),
  };
}

/** The legs a dry run promises, up to the first that answers, with what becomes of each. */
function promised({ chain }: Awaited<ReturnType<typeof dry>>) {
  const legs: { kind: string; connectionId: string; model: string; end: string }[] = [];
  for (const [index, leg] of chain.entries()) {
    const isLast = index === chain.length - 1;
    const end = leg.circuit === "open" && !isLast
      ? "Circuit open"
      : leg.refusal?.reason ?? endOf(leg.model);
    legs.push({ kind: leg.kind, connectionId: leg.connectionId, model: leg.model, end });
    if (end === "ok") break;
  }
  return legs;
}

function endOf(model: string): string {
  if (model === "echo-status-503") return "Provider unavailable";
  return model === "echo-status-400" ? "Provider rejected the request" : "ok";
}

const variable = fc.constantFrom(
  ...["tokens.input", "request.temperature", "request.messagesCount", "errorRate", "hasTools"],
  ...["metadata.tier", "request.user", "request.stream", "request.lastUserMessage.content"],
  ...["apiKey.name", "resource.model.model", "request.metadata.tier"],
);
const condition = fc.record({
  field: variable,
  operator: fc.constantFrom(
    ...["equals", "notEquals", "greaterThan", "lessThan", "contains", "startsWith", "exists", "in"],
  ),
  value: fc.oneof(
    fc.constantFrom("gold", "silver", "u-1", "hello", "default", "echo"),
    fc.integer({ min: 0, max: 30 }),
    fc.boolean(),
  ),
});
const expression = fc.constantFrom(
  ...["hasTools", "tokens.input > 12", "metadata.tier == 'gold' && !hasTools", "errorRate(2) > 40"],
  ...["hash(request.user, 4) < 2", "request.temperature > 1 ? true : hasImages", "true", "false"],
  ...["request.messages[.role == 'user'].content == 'hello'", "latency(50) > 10000", "'a' - 1"],
);
const slotName = fc.constantFrom(
  ...["works", "works", "worksToo", "fails", "refuses", "off", "strict", "gone"],
);
const route = fc.record({
  enabled: fc.constantFrom(true, true, true, false),
  action: fc.constantFrom("CALL_MODEL", "CALL_MODEL", "CALL_MODEL", "CALL_MODEL", "BLOCK"),
  operator: fc.constantFrom("AND", "OR"),
  rule: fc.oneof(
    fc.record({ if: fc.array(condition, { minLength: 1, maxLength: 3 }) }),
    fc.record({ expression }),
  ),
  to: slotName.filter((name) => name !== "gone"),
  traffic: fc.constantFrom(null, null, 0, 20, 50, 100),
});
const request = fc.record({
  content: fc.constantFrom(
    "hello",
    "hi",
    "a much longer message that takes more than a few tokens",
  ),
  user: fc.constantFrom("u-1", "u-2", "u-3", "u-4"),
  temperature: fc.constantFrom(undefined, 0, 1.5),
  stream: fc.boolean(),
  tools: fc.boolean(),
  tier: fc.constantFrom(undefined, "gold", "silver"),
  tierHeader: fc.constantFrom(undefined, "gold"),
  secondary: fc.constantFrom(...Array(6).fill(undefined), 0, 1, 2),
  override: fc.constantFrom(...Array(6).fill(undefined), "works", "fails", { bad: true }),
});

type Given = typeof request extends fc.Arbitrary<infer Value> ? Value : never;

test(
  "1,000 dry runs tell what then happens to the same requests, with the same draws",
  async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(route, { maxLength: 5 }),
        fc.array(slotName, { maxLength: 3 }),
        slotName,
        fc.constantFrom(null, null, false, true),
        request,
        fc.array(fc.double({ min: 0, max: 99.99, noNaN: true }), { minLength: 5, maxLength: 5 }),
        async (routes, fallbacks, primary, useFallback, given, drawn) => {
          await setResource(routes, fallbacks, primary, useFallback);
          const { body, headers } = requestOf(given);
          const draws = Object.fromEntries(drawn.map((draw, index) => [`r${index}`, draw]));
          gateway.services.setRandom(() => expect.fail("a dry run left a draw to chance"));
          const told = await dry(body, headers, draws);
          const taken = told.trace.routes.flatMap(({ draw }) => draw === undefined ? [] : [draw]);
          gateway.services.setRandom(() => taken.shift()! / 100);
          const { errorCode, exchange, status } = await live(body, headers);

          expect(taken).toEqual([]);
          if (exchange.routing) expect(decisions(told.trace)).toEqual(decisions(exchange.routing));
          else expect(told.trace.evaluated).toBe(false);
          const legs = exchange.legs.map(({ kind, connectionId, failureReason, model }) => ({
            kind,
            connectionId,
            model,
            end: failureReason ?? "ok",
          }));
          expect(promised(told)).toEqual(legs);
          expect(told.blocked !== undefined).toBe(errorCode === "blocked_by_routing_condition");
          if (told.errors.length > 0) expect(told.errors[0]!.code).toBe(errorCode);
          else if (!told.blocked) expect(status === "ok").toBe(legs.at(-1)?.end === "ok");
          const kind = told.blocked ? "blocked" : told.errors[0]?.code ?? told.chain[0]!.kind;
          seen.set(kind, (seen.get(kind) ?? 0) + 1);
          if (legs.length > 1) seen.set("fallback", (seen.get("fallback") ?? 0) + 1);
        },
      ),
      { numRuns: 1000, seed: 4 },
    );
    // Every way a request can go was gone, and often enough to mean something.
    for (const way of ["primary", "route", "secondary", "blocked", "fallback", "invalid_request"]) {
      expect(seen.get(way) ?? 0, way).toBeGreaterThan(20);
    }
  },
  30_000,
);

async function setResource(
  routes: readonly {
    readonly rule: object;
    readonly to: string;
    readonly traffic: number | null;
    readonly action: string;
  }[],
  fallbacks: readonly string[],
  primary: string,
  useFallback: boolean | null,
): Promise<void> {
  const conditions = routes.map(({ rule, to, traffic, action, ...rest }, index) => ({
    ...rest,
    ...rule,
    id: `r${index}`,
    action,
    ...(action === "BLOCK" ? {} : { then: { ...slots[to], traffic } }),
  }));
  const routing = await acceptRouting(
    { enabled: true, conditions } as RoutingPatch,
    null,
    gateway.host,
  );
  gateway.snapshot.setResource("tried", slots[primary]!, {
    resourceId: "33333333-3333-4333-8333-333333333333",
    routing: routing as Routing,
    fallbackModels: fallbacks.map((name) => slots[name]!),
    secondaryModels: [slots["works"]!, slots["fails"]!],
    useFallback,
  } as Partial<ResourceView>);
}

function requestOf(given: Given) {
  const { content, override, secondary, stream, temperature, tier, tierHeader, tools, user } =
    given;
  const tool = { type: "function", function: { name: "f", parameters: { type: "object" } } };
  const overrides = typeof override === "string" ? { model: slots[override] } : override;
  const body = {
    model: "tried",
    messages: [{ role: "user", content }],
    user,
    stream,
    ...(temperature === undefined ? {} : { temperature }),
    ...(tools ? { tools: [tool] } : {}),
    vmx: {
      ...(tier ? { metadata: { tier } } : {}),
      ...(secondary === undefined ? {} : { secondaryModelIndex: secondary }),
      ...(overrides ? { resourceConfigOverrides: overrides } : {}),
    },
  } as unknown as JsonObject;
  const headers: Record<string, string> = tierHeader ? { "x-vmx-metadata-tier": tierHeader } : {};
  return { body, headers };
}
