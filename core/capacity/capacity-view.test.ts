import { expect, test } from "vitest";
import type { MeterState, Period } from "../contract/index.ts";
import type {
  ApiKeyView,
  ConnectionView,
  EnvironmentView,
  ResourceView,
} from "../store/snapshot.ts";
import { createCapacityView } from "./capacity-view.ts";
import { createDiscovered } from "./discovered.ts";
import { createFakeStore } from "./testing.ts";

const noon = Date.parse("2026-03-01T12:00:10Z");

function set(limits: { connection?: object[]; resource?: object[]; apiKey?: object[] }) {
  const clock = { at: noon, now: () => clock.at };
  const store = createFakeStore(clock);
  let away = false;
  const discovered = createDiscovered(clock);
  const view = createCapacityView({
    clock,
    discovered,
    store: () => ({ isAway: () => away, ask: (use) => use(store) }),
  });
  const connection = { connectionId: "c", name: "Main", capacity: limits.connection ?? [] };
  const environment = {
    environmentId: "e",
    connections: new Map([["c", connection as unknown as ConnectionView]]),
    resources: new Map(),
  } as unknown as EnvironmentView;
  const state = (level: MeterState["level"], subjectId: string, period: Period, used: number) =>
    view.note("e", [{
      level,
      subjectId,
      period,
      used: { requests: used, tokens: used * 10 },
      reserved: { requests: 0, tokens: 0 },
      denied: 0,
      windowStart: Math.floor(clock.at / 60_000) * 60_000,
      resetAt: null,
    }]);
  return {
    clock,
    store,
    discovered,
    view,
    environment,
    state,
    leave: () => void (away = true),
    usage: (period: Period = "minute") =>
      view.usage({
        environment,
        connectionId: "c",
        model: "m",
        resource: {
          resourceId: "r",
          enforceCapacity: true,
          capacity: limits.resource ?? [],
        } as unknown as ResourceView,
        apiKey: {
          apiKeyId: "k",
          enforceCapacity: true,
          capacity: limits.apiKey ?? [],
        } as unknown as ApiKeyView,
        period,
      }),
  };
}

test("nothing limits: null, and null while the store is away", () => {
  expect(set({}).usage()).toBeNull();
  const { usage, leave } = set({ connection: [{ period: "minute", requests: 10 }] });
  expect(usage()).not.toBeNull();
  expect(usage("hour")).toBeNull();
  leave();
  expect(usage()).toBeNull();
});

test("per axis the limit nearest saturation is told", () => {
  const { usage, state } = set({
    connection: [{ period: "minute", requests: 100, tokens: 1_000 }],
    resource: [{ period: "minute", requests: 8 }],
  });
  state("connection", "c", "minute", 30);
  state("resource", "r", "minute", 2);
  expect(usage()).toEqual({
    totalRequests: 30,
    totalTokens: 300,
    remainingSeconds: 50,
    requestsLimit: 100,
    tokensLimit: 1_000,
    requestsLimitSource: "connection",
    tokensLimitSource: "connection",
    remainingRequests: 70,
    remainingTokens: 700,
    requestsUsagePercent: 30,
    tokensUsagePercent: 30,
  });
  state("resource", "r", "minute", 6);
  expect(usage()).toMatchObject({ requestsLimitSource: "resource", remainingRequests: 2 });
});

test("of equally used limits the tighter is told, and an axis without a limit is null", () => {
  const { usage } = set({
    connection: [{ period: "minute", requests: 100 }],
    apiKey: [{ period: "minute", requests: 5 }],
  });
  expect(usage()).toMatchObject({
    requestsLimitSource: "api-key",
    requestsLimit: 5,
    tokensLimit: null,
    tokensUsagePercent: null,
  });
});

test("a state of an earlier window counts as nothing used", () => {
  const { usage, state, clock } = set({ connection: [{ period: "minute", requests: 10 }] });
  state("connection", "c", "minute", 9);
  expect(usage()).toMatchObject({ requestsUsagePercent: 90 });
  clock.at += 60_000;
  expect(usage()).toMatchObject({ requestsUsagePercent: 0 });
});

test("limits a provider told of count until their window resets, and are forgotten after 7 days", () => {
  const { usage, discovered, clock } = set({});
  discovered.note("c", "m", () => ({
    requests: { limit: 100, remaining: 5, resetAfterMs: 20_000 },
    tokens: { limit: 86_400, remaining: 0, windowMs: 86_400_000 },
  }));
  expect(usage()).toMatchObject({
    requestsLimitSource: "discovered",
    requestsUsagePercent: 95,
    tokensLimit: null,
  });
  expect(usage("day")).toMatchObject({ tokensLimitSource: "discovered", tokensUsagePercent: 100 });
  clock.at += 20_001;
  expect(usage()).toMatchObject({ requestsUsagePercent: 0 });
  clock.at += 7 * 86_400_000;
  expect(usage()).toBeNull();
});

test("watched subjects are read anew, all meters of an environment in one call", async () => {
  const { view, usage, store, environment } = set({
    connection: [{ period: "minute", requests: 10 }, { period: "hour", requests: 99 }],
  });
  store.used.set("e connection c minute", { requests: 7, tokens: 70 });
  view.watch(() => [{ environment, connectionId: "c" }, { environment, connectionId: "c" }]);
  await view.refresh();
  view.stop();
  expect(usage()).toMatchObject({ totalRequests: 7, requestsUsagePercent: 70 });
  expect(store.calls).toEqual(["read"]);
});

test("discovered limits are read at most four times a second and written at most twice a minute", () => {
  const clock = { at: noon, now: () => clock.at };
  const discovered = createDiscovered(clock);
  let reads = 0;
  const note = () =>
    discovered.note("c", "m", () => {
      reads++;
      return { requests: { limit: 60 } };
    });
  for (let at = 0; at < 100; at++) note();
  expect(reads).toBe(1);
  const [first] = [...discovered.takeChanged()];
  expect(first).toEqual(["c", {
    models: {
      m: {
        updatedAt: "2026-03-01T12:00:10.000Z",
        capacity: [{
          period: "minute",
          requests: 60,
          tokens: null,
          enabled: true,
          dimension: null,
          dimensionField: null,
        }],
        source: "headers",
      },
    },
  }]);
  clock.at += 10_000;
  note();
  expect(discovered.takeChanged().size).toBe(0);
  clock.at += 20_001;
  expect(discovered.takeChanged().size).toBe(1);
  const later = createDiscovered(clock);
  later.load("c", first![1]);
  expect(later.find("c", "m")!.limits).toMatchObject([{ axis: "requests", limit: 60, used: 0 }]);
});
