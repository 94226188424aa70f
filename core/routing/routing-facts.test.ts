import { expect, test } from "vitest";
import type { Json } from "../contract/json.ts";
import { createBudget } from "./budget.ts";
import { sampleBody, sampleFacts } from "./testing.ts";

function read(path: string, given?: Parameters<typeof sampleFacts>[0]): Json | undefined {
  return sampleFacts(given).variable(path.split("."));
}

const lastMessage = { role: "user", content: "The yearly report" };

test.each<[string, unknown]>([
  ["tokens.input", 42],
  ["tokens", { input: 42 }],
  ["requestTokens", 42],
  ["hasTools", false],
  ["hasImages", false],
  ["request.hasFiles", false],
  ["request.toolsCount", 0],
  ["request.model", "fast"],
  ["request.stream", false],
  ["request.temperature", 0.2],
  ["request.user", "user-7"],
  ["request.stop", ["END", "STOP"]],
  ["request.messages", sampleBody.messages.slice(1)],
  ["request.messages.role", "user"],
  ["request.messagesCount", 3],
  ["request.firstMessage.content", "Summarise the report"],
  ["request.lastMessage", lastMessage],
  ["request.lastUserMessage", lastMessage],
  ["request.system", "Be brief"],
  ["request.allMessagesContent", "Summarise the report Which one? The yearly report"],
  ["request.format", "chat-completions"],
  ["request.metadata.tier", "gold"],
  ["request.nativeBody.metadata.from", "body"],
  ["request.nativeBody.vmx", undefined],
  ["metadata.tier", "gold"],
  ["metadata.absent", undefined],
  ["apiKey.name", "reports"],
  ["apiKey.labels", ["internal", "batch"]],
  ["sourceIp", "10.1.2.3"],
  ["resource.name", "fast"],
  ["resource.model.model", "echo-1"],
  ["now.hour", 9],
  ["now.minute", 30],
  ["now.weekday", 7],
  ["now.date", "2026-03-01"],
  ["now", { hour: 9, minute: 30, weekday: 7, date: "2026-03-01" }],
  ["request.absent.more.still", undefined],
  ["unknown", undefined],
])("%s is %j", (path, expected) => {
  expect(read(path)).toEqual(expected);
});

test("the first day after Sunday is 1", () => {
  expect(read("now.weekday", { now: Date.UTC(2026, 2, 2) })).toBe(1);
  expect(read("now.weekday", { now: 0 })).toBe(4);
});

test("a caller without a key has no key's name", () => {
  expect(read("apiKey.name", { apiKey: undefined })).toBeUndefined();
});

test("what rules get has no prototype and cannot be changed, and the body stays as it was", () => {
  const before = JSON.stringify(sampleBody);
  const facts = sampleFacts();
  for (const path of [["request"], ["request", "messages"], ["metadata"], ["apiKey", "labels"]]) {
    const value = facts.variable(path) as object;
    expect(Object.isFrozen(value)).toBe(true);
    expect([null, Array.prototype]).toContain(Object.getPrototypeOf(value));
    expect(facts.variable(path)).toBe(value);
  }
  expect(JSON.stringify(sampleBody)).toBe(before);
  expect(Object.isFrozen(sampleBody.messages)).toBe(false);
});

test("members that lead out of plain data are not there, even when the body has them", () => {
  const mergedBody = JSON.parse(
    `{"a": {"__proto__": {"b": 1}, "constructor": 2, "then": 3, "c": 4}}`,
  );
  expect(read("request.a", { mergedBody })).toEqual({ c: 4 });
  for (const name of ["__proto__", "constructor", "then", "toString", "hasOwnProperty"]) {
    expect(read(`request.a.${name}`, { mergedBody })).toBeUndefined();
    expect(read(`metadata.${name}`)).toBeUndefined();
    expect(read(name)).toBeUndefined();
  }
});

test("a live function is asked once for the same arguments", () => {
  let asked = 0;
  const facts = sampleFacts({
    live: { errorRate: () => ++asked, capacityUsage: () => null, latency: () => null },
  });
  expect(facts.call("errorRate", [5, "any"])).toBe(1);
  expect(facts.call("errorRate", [5, "any"])).toBe(1);
  expect(facts.call("errorRate", [5, 429])).toBe(2);
});

test("live functions are asked with their defaults filled in", () => {
  const queries: unknown[] = [];
  const facts = sampleFacts({
    live: {
      errorRate: (query) => (queries.push(query), 0),
      capacityUsage: (query) => (queries.push(query), null),
      latency: (query) => (queries.push(query), null),
    },
  });
  facts.call("errorRate", []);
  facts.call("errorRate", [5, "429", "main", "m"]);
  facts.call("capacityUsage", []);
  facts.call("capacityUsage", ["day", "main"]);
  facts.call("latency", []);
  const primary = { connection: undefined, model: undefined };
  expect(queries).toEqual([
    { windowMinutes: 10, statusCode: "any", ...primary },
    { windowMinutes: 5, statusCode: 429, connection: "main", model: "m" },
    { period: "minute", ...primary },
    { period: "day", connection: "main", model: undefined },
    { percentile: 50, windowMinutes: 10, ...primary },
  ]);
});

test.each<[string, Json[]]>([
  ["errorRate", [0]],
  ["errorRate", [181]],
  ["errorRate", ["secret-value"]],
  ["errorRate", [10, "secret-value"]],
  ["capacityUsage", ["secret-value"]],
  ["latency", [101]],
  ["hash", ["x", 0]],
  ["unheardOf", []],
])("%s of %j throws, and does not repeat its arguments", (name, args) => {
  expect(() => sampleFacts().call(name, args)).toThrow(/^(?!.*secret-value)/);
});

test.each<[string, (Json | undefined)[], unknown]>([
  ["matches", ["Hello", "(?i)^hell"], true],
  ["matches", [undefined, "x"], false],
  ["contains", ["Hello", "ell"], true],
  ["contains", [["a", "b"], "b"], true],
  ["contains", [["ab"], "b"], false],
  ["contains", [undefined, "b"], false],
  ["startsWith", ["Hello", "He"], true],
  ["endsWith", ["Hello", "lo"], true],
  ["lower", ["ÄB"], "äb"],
  ["upper", ["äb"], "ÄB"],
  ["lower", [undefined], undefined],
  ["length", ["Hello"], 5],
  ["length", [[1, 2]], 2],
  ["length", [{ a: 1 }], 1],
  ["length", [undefined], undefined],
  ["number", ["12.5"], 12.5],
  ["number", ["twelve"], undefined],
  ["hash", [undefined, 10], undefined],
])("%s of %j is %j", (name, args, expected) => {
  expect(sampleFacts().call(name, args)).toEqual(expected);
});

test("a hash is the same for ever and spreads evenly", () => {
  const hash = (text: string) => sampleFacts().call("hash", [text, 100]) as number;
  expect([hash("user-1"), hash("user-2"), hash("")]).toEqual([76, 0, 24]);
  const buckets = new Array<number>(10).fill(0);
  for (let at = 0; at < 10_000; at++) buckets[Math.floor(hash(`user-${at}`) / 10)]!++;
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test("a large body is not copied beyond the budget", () => {
  const mergedBody = { list: Array.from({ length: 100_000 }, () => ({ a: 1 })) };
  const budget = createBudget({ monotonic: () => 0 });
  expect(() => read("request.list", { mergedBody, budget })).toThrow("budget");
  expect(read("request.list.a", { mergedBody })).toBe(1);
});
