import { setTimeout as delay } from "node:timers/promises";
import { metricSinkCases, runCases } from "@vmx/core/conformance";
import { afterAll, expect, test } from "vitest";
import { createServer } from "./server.ts";
import { createSink } from "./sink.ts";
import { freePort, startTestServer } from "./testing.ts";

const { address, stop } = await startTestServer();
afterAll(stop);

let tables = 0;

await runCases(
  "metric sink questdb",
  metricSinkCases({
    create: () => Promise.resolve(createSink(createServer(address, fetch), `usage_${tables++}`)),
    createAway: async () =>
      createSink(createServer(`http://127.0.0.1:${await freePort()}`, fetch), "t"),
    settleMs: 10_000,
  }),
);

test("days of a calendar that moves its clock are counted in their own lengths", async () => {
  const sink = createSink(createServer(address, fetch), "calendar");
  const days = ["2026-03-27T23:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z", "2026-03-30T22:00Z"]
    .map((text) => Date.parse(text));
  const place = { workspaceId: "w", environmentId: "e" };
  await sink.record(days.flatMap((day, index) =>
    [0, 1].map((leg) => ({
      at: day + leg,
      leg,
      measures: { totalTokens: index + 1 },
      dimensions: { ...place, requestId: String(index) },
    }))
  ));
  const end = days[3]!;
  const ask = () =>
    sink.query!({
      ...place,
      start: days[0]!,
      end,
      bucketStarts: days.slice(0, 3),
      granularity: "day",
      timeZone: "Europe/Berlin",
      dimensions: [],
      filters: [],
      aggregates: [{ measure: "totalTokens", function: "sum" }],
    });
  for (let round = 0; round < 50 && (await ask()).length < 3; round++) await delay(100);
  expect((await ask()).map(({ bucket, values }) => [bucket, ...values])).toEqual([
    [0, 2],
    [1, 4],
    [2, 6],
  ]);
  await sink.close();
});
