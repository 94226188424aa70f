import { expect, test } from "vitest";
import type { ConnectionView, EnvironmentView, Snapshot } from "../store/snapshot.ts";
import { createForgetRemoved } from "./forget-removed.ts";
import { legMeters, type LegSubject } from "./leg-meters.ts";
import { limitsOf, minuteTokenLimit } from "./limits.ts";
import { createFakeStore } from "./testing.ts";

const connection = (capacity: readonly object[]) =>
  ({ connectionId: "c", name: "c", environmentId: "e", capacity }) as unknown as ConnectionView;
const subject = (parts: Partial<LegSubject>): LegSubject => ({
  connection: undefined,
  resource: undefined,
  apiKey: undefined,
  sourceIp: "10.0.0.1",
  metadata: {},
  ...parts,
});

test("nothing limits: the same empty list for every leg", () => {
  const free = subject({ connection: connection([]) });
  expect(legMeters(free)).toBe(legMeters(subject({})));
});

test("a disabled entry limits nothing, one without figures neither", () => {
  const view = connection([{ period: "day", requests: 1, enabled: false }, { period: "hour" }]);
  expect(limitsOf(view, "connection", "c")).toEqual({ plain: [], split: [] });
});

test("limits are compiled once per view", () => {
  const view = connection([{ period: "day", requests: 1 }]);
  expect(limitsOf(view, "connection", "c")).toBe(limitsOf(view, "connection", "c"));
});

test("entries for the same window make one meter with the lower limit on each axis", () => {
  const view = connection([
    { period: "day", requests: 10, tokens: null },
    { period: "day", requests: 20, tokens: 500 },
  ]);
  expect(legMeters(subject({ connection: view }))).toEqual([
    { level: "connection", subjectId: "c", period: "day", limit: { requests: 10, tokens: 500 } },
  ]);
});

test("metadata from a prototype is no metadata", () => {
  const entry = { period: "day", requests: 1, dimension: "metadata" };
  const view = connection([{ ...entry, dimensionField: "toString" }]);
  expect(legMeters(subject({ connection: view }))[0]!.dimension).toEqual({
    name: "metadata.toString",
    value: "unknown",
  });
});

test("only an enabled limit of all tokens per minute is what pools share", () => {
  expect(minuteTokenLimit(connection([{ period: "minute", tokens: 900 }]))).toBe(900);
  for (
    const entry of [
      { period: "minute", tokens: 900, enabled: false },
      { period: "minute", tokens: 900, dimension: "source-ip" },
      { period: "minute", requests: 900 },
      { period: "hour", tokens: 900 },
    ]
  ) expect(minuteTokenLimit(connection([entry]))).toBeUndefined();
});

test("a limit taken away forgets its count; one changed or disabled keeps it", async () => {
  const resets: unknown[] = [];
  const store = createFakeStore({ now: () => 0 });
  store.reset = (_environmentId, meter) => Promise.resolve(void resets.push(meter));
  const forget = createForgetRemoved({ ask: (use) => use(store) });
  const show = (capacity: readonly object[]) =>
    forget({
      environments: new Map([["e", {
        environmentId: "e",
        connections: new Map([["c", connection(capacity)]]),
        resources: new Map(),
      } as unknown as EnvironmentView]]),
      apiKeysByHash: new Map(),
    } as unknown as Snapshot);
  show([{ period: "day", requests: 1 }, { period: "hour", requests: 1 }]);
  show([{ period: "day", requests: 2 }, { period: "hour", requests: 1, enabled: false }]);
  expect(resets).toEqual([]);
  show([{ period: "day", requests: 2 }]);
  expect(resets).toEqual([{ level: "connection", subjectId: "c", period: "hour" }]);
});
