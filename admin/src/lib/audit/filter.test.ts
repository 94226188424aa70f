import { expect, test } from "vitest";
import {
  describeFilter,
  durationMs,
  parseFilters,
  queryOf,
  readFilters,
  withFilter,
  writeFilters,
} from "./filter.ts";

const ids = (_of: string, name: string) => name === "chat" ? "id-of-chat" : undefined;

test("what is typed becomes filters, and what is none is given back", () => {
  const { filters, rest } = parseFilters(
    'status:error resource:chat model:gpt* duration:>5s metadata.tier:gold label:"team a" hello status:odd x:1',
  );
  expect(filters.map(describeFilter)).toEqual([
    "Status: error",
    "Resource: chat",
    "Model: gpt*",
    "Longer than: 5s",
    "tier: gold",
    "Key label: team a",
  ]);
  expect(rest).toEqual(["hello", "status:odd", "x:1"]);
  expect(queryOf(filters, ids)).toEqual({
    status: "error",
    resourceId: "id-of-chat",
    model: "gpt*",
    minDurationMs: 5_000,
    "metadata.tier": "gold",
    label: "team a",
  });
});

test("filters survive the address", () => {
  const { filters } = parseFilters('fallback:yes metadata.a:1 metadata.b:x=y resource:"a b"');
  const query = new URLSearchParams("status=ok&tab=raw");
  writeFilters(query, filters);
  expect(query.get("status")).toBeNull();
  expect(query.get("tab")).toBe("raw");
  expect(readFilters(query).map(describeFilter).sort()).toEqual(
    filters.map(describeFilter).sort(),
  );
  expect(queryOf(readFilters(query), ids)).toEqual({
    fallback: true,
    "metadata.a": "1",
    "metadata.b": "x=y",
    resourceId: "a b",
  });
});

test("a field has one value, a key of metadata too", () => {
  const of = (text: string) => parseFilters(text).filters[0]!;
  const filters = ["status:ok", "metadata.a:1", "metadata.b:1", "status:error", "metadata.a:2"]
    .map(of).reduce<ReturnType<typeof of>[]>((all, each) => withFilter(all, each), []);
  expect(filters.map(describeFilter)).toEqual(["b: 1", "Status: error", "a: 2"]);
});

test("durations are read with their unit", () => {
  expect(["5s", ">500ms", "2min", "40", "soon"].map(durationMs)).toEqual([
    5_000,
    500,
    120_000,
    40,
    undefined,
  ]);
});
