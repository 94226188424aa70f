import { expect, test } from "vitest";
import { readPrices } from "./price-text.ts";

test("prices are read as JSON or as a table", () => {
  const entry = { provider: "p", model: "m", pricePerMillion: { inputUncached: 1, output: 2 } };
  expect(readPrices(JSON.stringify([entry]))).toEqual({ entries: [entry] });
  expect(readPrices(JSON.stringify({ currency: "EUR", entries: [entry], version: 3 }))).toEqual({
    currency: "EUR",
    entries: [entry],
  });
  expect(readPrices("provider,model\r\np,m")).toEqual({ csv: "provider,model\r\np,m" });
});

test("broken or empty JSON is told at once", () => {
  expect(() => readPrices("[{")).toThrow(SyntaxError);
  expect(() => readPrices('{"prices":[]}')).toThrow("no list named entries");
});
