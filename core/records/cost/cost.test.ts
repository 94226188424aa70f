import type { AuditTokens, PriceEntry } from "@vmx/schemas";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createPluginHost } from "../../host/create-plugin-host.ts";
import { installationRoot } from "../../host/discover.ts";
import { sampleRecord } from "../testing.ts";
import { addCosts, amountsOf, roundAmounts } from "./amounts.ts";
import { createPriceBook } from "./price-book.ts";
import { priceRecord } from "./price-record.ts";
import { createPriceTable } from "./price-table.ts";
import { readPriceTable } from "./read-price-table.ts";
import { systemList } from "./system-list.ts";

const nothing: AuditTokens = {
  inputUncached: null,
  inputCacheRead: null,
  inputCacheWrite5m: null,
  inputCacheWrite1h: null,
  output: null,
  reasoning: null,
  audioInput: null,
  audioOutput: null,
  acceptedPredictionTokens: null,
  rejectedPredictionTokens: null,
  webSearchRequests: null,
  codeExecutionRequests: null,
  promptTokens: null,
  completionTokens: null,
  totalTokens: null,
};
const entry = (members: Partial<PriceEntry>): PriceEntry => ({
  provider: "p",
  model: "*",
  pricePerMillion: { inputUncached: 1, output: 1 },
  ...members,
});

test("the example of the specification comes out to the figure", () => {
  const tokens = {
    ...nothing,
    inputUncached: 3_000,
    inputCacheRead: 6_000,
    inputCacheWrite5m: 1_000,
    output: 500,
    reasoning: 300,
  };
  const [cost] = roundAmounts([amountsOf(
    tokens,
    entry({
      pricePerMillion: {
        inputUncached: 3_000_000,
        inputCacheRead: 300_000,
        output: 15_000_000,
      },
    }),
  )]);
  expect(cost).toEqual({
    inputUncached: 9_000_000,
    inputCacheRead: 1_800_000,
    cacheWrite: 3_750_000,
    output: 7_500_000,
    reasoning: 4_500_000,
    audio: 0,
    requests: 0,
    total: 26_550_000,
  });
});

test("one token at 0.15 a million is 150 nano-units, and half a nano-unit is rounded up once", () => {
  const one = { ...nothing, inputUncached: 1 };
  const price = (inputUncached: number) => entry({ pricePerMillion: { inputUncached, output: 0 } });
  expect(roundAmounts([amountsOf(one, price(150_000))])[0]!.total).toBe(150);
  expect(roundAmounts([amountsOf(one, price(499))])[0]!.total).toBe(0);
  expect(roundAmounts([amountsOf(one, price(500))])[0]!.total).toBe(1);
  const half = { ...nothing, inputUncached: 1, output: 1 };
  const [cost] = roundAmounts([
    amountsOf(half, entry({ pricePerMillion: { inputUncached: 500, output: 500 } })),
  ]);
  expect(cost).toMatchObject({ inputUncached: 1, output: 1, total: 1 });
});

test("absent classes and fees follow the defaults", () => {
  const tokens = {
    ...nothing,
    inputCacheRead: 1_000,
    inputCacheWrite5m: 4,
    inputCacheWrite1h: 1_000,
    reasoning: 1_000,
    webSearchRequests: 3,
  };
  const [cost] = roundAmounts([amountsOf(
    tokens,
    entry({
      pricePerMillion: { inputUncached: 1_001, output: 7_000 },
      pricePerRequest: 5,
      pricePerWebSearch: 10_000,
    }),
  )]);
  expect(cost).toMatchObject({
    inputCacheRead: 1_001,
    cacheWrite: 5 + 2_002,
    reasoning: 7_000,
    requests: 5_000 + 30_000_000,
  });
});

test("for any tokens and prices: the total is the exact sum rounded once, and legs add up to their request", () => {
  const count = fc.option(fc.nat({ max: 2_000_000 }));
  const price = fc.nat({ max: 10_000_000_000 });
  const tokens = fc.record({
    inputUncached: count,
    inputCacheRead: count,
    inputCacheWrite5m: count,
    inputCacheWrite1h: count,
    output: count,
    reasoning: count,
    audioInput: count,
    audioOutput: count,
  });
  const prices = fc.record({ input: price, output: price, read: fc.option(price) });
  fc.assert(fc.property(
    fc.array(fc.tuple(tokens, prices), { minLength: 1, maxLength: 4 }),
    (legs) => {
      let exact = 0n;
      const amounts = legs.map(([given, { input, output, read }]) => {
        const n = (value: number | null) => BigInt(value ?? 0);
        // In eightieths of a thousandth, another way than the code goes.
        exact += 80n * (n(given.inputUncached) + n(given.audioInput)) * BigInt(input);
        exact += 80n * n(given.inputCacheRead) * BigInt(read ?? input);
        exact += 100n * n(given.inputCacheWrite5m) * BigInt(input);
        exact += 160n * n(given.inputCacheWrite1h) * BigInt(input);
        exact += 80n * (n(given.output) + n(given.reasoning) + n(given.audioOutput)) *
          BigInt(output);
        return amountsOf({ ...nothing, ...given }, {
          provider: "p",
          model: "m",
          pricePerMillion: {
            inputUncached: input,
            output,
            ...(read === null ? {} : { inputCacheRead: read }),
          },
        });
      });
      const costs = roundAmounts(amounts);
      const expected = (2n * exact + 80_000n) / 160_000n;
      // Numbers are exact up to nine million units of the currency.
      if (expected > BigInt(Number.MAX_SAFE_INTEGER)) return;
      expect(BigInt(addCosts(costs).total)).toBe(expected);
      expect(costs.every((cost) => Object.values(cost).every(Number.isSafeInteger))).toBe(true);
    },
  ));
});

test("the most specific model wins, then the service tier", () => {
  const named = (model: string, serviceTier?: string) =>
    entry({ provider: "openai", model, ...(serviceTier ? { serviceTier } : {}), source: model });
  const table = createPriceTable([
    named("*"),
    named("gpt-4o*"),
    named("gpt-4o-mini*"),
    named("gpt-4o", "flex"),
    named("gpt-4o"),
  ]);
  const found = (model: string, tier: string | null = null) => table("openai", model, tier);
  expect(found("gpt-4o")).toMatchObject({ model: "gpt-4o" });
  expect(found("gpt-4o")!.serviceTier).toBeUndefined();
  expect(found("gpt-4o", "flex")).toMatchObject({ model: "gpt-4o", serviceTier: "flex" });
  expect(found("gpt-4o-2024")).toMatchObject({ model: "gpt-4o*" });
  expect(found("gpt-4o-mini-x")).toMatchObject({ model: "gpt-4o-mini*" });
  expect(found("o9")).toMatchObject({ model: "*" });
  expect(table("groq", "gpt-4o", null)).toBeUndefined();
});

test("the newest list in force wins, and the list of the release prices what it leaves out", () => {
  const list = (version: number, effectiveFrom: string, entries: PriceEntry[]) => ({
    priceListId: `list ${version}`,
    version,
    source: "USER" as const,
    effectiveFrom,
    currency: "USD",
    createdAt: null,
    createdBy: null,
    entries,
  });
  const system = {
    ...list(20260101, "2026-01-01T00:00:00Z", [entry({ model: "a" }), entry({ model: "b" })]),
    source: "SYSTEM" as const,
  };
  const book = createPriceBook(system, [
    list(1, "2026-01-01T00:00:00Z", [entry({ model: "a" })]),
    list(2, "2026-03-01T00:00:00Z", [entry({ model: "a*" })]),
  ]);
  const version = (model: string, at: string) =>
    book.find("p", model, null, Date.parse(at))?.list.version;
  expect(version("a", "2025-12-31T23:59:59.999Z")).toBe(20260101);
  expect(version("a", "2026-01-01T00:00:00Z")).toBe(1);
  expect(version("a", "2026-03-01T00:00:00Z")).toBe(2);
  expect(version("b", "2026-03-01T00:00:00Z")).toBe(20260101);
  expect(version("c", "2026-03-01T00:00:00Z")).toBeUndefined();
});

test("failed legs with usage cost too, and one leg without a price leaves the request without a cost", () => {
  const leg = (index: number, model: string, output: number | null) => ({
    ...sampleLeg,
    index,
    model,
    tokens: output === null ? null : { ...nothing, output },
  });
  const book = createPriceBook(
    {
      priceListId: "s",
      version: 1,
      source: "SYSTEM",
      effectiveFrom: "2026-01-01T00:00:00Z",
      currency: "USD",
      createdAt: null,
      createdBy: null,
      entries: [
        entry({ model: "dear", pricePerMillion: { inputUncached: 0, output: 1_400 } }),
        entry({ model: "cheap", pricePerMillion: { inputUncached: 0, output: 200 } }),
      ],
    },
    [],
  );
  const price = (legs: ReturnType<typeof leg>[]) =>
    priceRecord(sampleRecord(Date.UTC(2026, 5, 1), { legs }), book);
  const priced = price([leg(0, "dear", 1), leg(1, "none", null), leg(2, "cheap", 1)]);
  // 1.4 and 0.2 nano-units: 1.6 in all, of which the first leg shows 1.
  expect(priced.cost).toMatchObject({ total: 2, currency: "USD", priceVersion: "1" });
  expect(priced.legs.map(({ cost }) => cost?.total)).toEqual([1, undefined, 1]);
  expect(price([leg(0, "dear", 1), leg(1, "none", 1)])).toMatchObject({
    cost: null,
    unpriced: true,
  });
  expect(price([leg(0, "none", null)])).toMatchObject({ cost: null, unpriced: false });
});

test("a table is read with quotes, and refused with the line at fault", () => {
  expect(readPriceTable(
    '\ufeffprovider,model,inputUncached,output,reasoning,source\r\nopenai,"gpt, ""x""",1,2,,page\r\n\r\n',
  )).toEqual([{
    provider: "openai",
    model: 'gpt, "x"',
    source: "page",
    pricePerMillion: { inputUncached: 1, output: 2 },
  }]);
  const header = "provider,model,inputUncached,output\n";
  expect(() => readPriceTable(`${header}openai,gpt,1.5,2`)).toThrow(/row 2: inputUncached "1.5"/);
  expect(() => readPriceTable(`${header}openai,gpt,1`)).toThrow("row 2 has 3 cells");
  expect(() => readPriceTable("provider,model,output\n")).toThrow('lacks "inputUncached"');
  expect(() => readPriceTable(`${header}"openai`)).toThrow("does not end");
});

test("the list of the release prices every provider's default model, each row with source and day", async () => {
  const host = await createPluginHost({
    root: installationRoot(),
    coreVersion: "0.1.0",
    environment: {},
    log: { debug() {}, info() {}, warn() {}, error() {} },
    fetch,
    http: { send: () => Promise.reject(new Error("none")) },
    clock: { now: () => 0, monotonic: () => 0 },
    dataDir: "/nonexistent",
    signal: new AbortController().signal,
  });
  const list = systemList(host);
  const book = createPriceBook(list, []);
  for (const { id, entry } of host.contributions("providers")) {
    const model = entry["defaultModel"] as string | undefined;
    if (model === undefined) continue;
    expect(book.find(id, model, null, 0), `${id} ${model}`).toBeDefined();
  }
  expect(list.entries.length).toBeGreaterThan(80);
  expect(list.entries.filter(({ source, checkedOn }) => !source || !checkedOn)).toEqual([]);
  await host.dispose();
});

const sampleLeg = {
  kind: "primary" as const,
  connectionId: "c",
  connectionName: null,
  provider: "p",
  credentialVersion: null,
  startedAt: "2026-06-01T00:00:00.000Z",
  durationMs: 1,
  gate: null,
  retries: [],
  providerRequestId: null,
  statusCode: 200,
  outcome: "ok" as const,
  failureReason: null,
  errorCode: null,
  errorMessage: null,
  timeToFirstTokenMs: null,
  warnings: [],
};
