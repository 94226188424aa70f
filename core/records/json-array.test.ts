import { expect, test } from "vitest";
import { jsonArray } from "./json-array.ts";

test.each([0, 1, 3])("%i texts make an array", (count) => {
  const values = Array.from({ length: count }, (_, index) => ({ index, name: "zwölf" }));
  const bytes = jsonArray(values.map((value) => Buffer.from(JSON.stringify(value))));
  expect(JSON.parse(bytes.toString("utf8"))).toEqual(values);
});
