import { expect, test } from "vitest";
import { demandSeries, movesOf, pointsSince, shareSeries } from "./history.ts";

const start = Date.parse("2026-11-21T10:00:00.000Z");
const point = (second: number, chat: number, docs: number) => ({
  at: new Date(start + second * 1_000).toISOString(),
  shares: { chat, docs },
  demand: { chat: chat * 10, docs: docs * 10 },
});
const history = [point(0, 50, 0), point(1, 50, 16), point(2, 60, 40), point(3, 60, 40.1)];

test("shares and what is free fill the chart", () => {
  const series = shareSeries(history, ["chat", "docs"]);
  expect(series.map(({ label, values }) => [label, values[2]])).toEqual([
    ["chat", 60],
    ["docs", 40],
    ["free", 0],
  ]);
  expect(demandSeries(history, ["docs"])[0]!.values).toEqual([0, 160, 400, 401]);
});

test("growth and release are told with their reason, the latest first", () => {
  const reasons = [{
    pool: "chat",
    at: start + 2_400,
    reason: "grew 10 points: demand",
    share: 60,
  }];
  expect(movesOf(history, ["chat", "docs"], reasons, start)).toEqual([
    { at: start + 2_000, pool: "chat", points: 10, share: 60, reason: "grew 10 points: demand" },
    { at: start + 2_000, pool: "docs", points: 24, share: 40, reason: undefined },
    { at: start + 1_000, pool: "docs", points: 16, share: 16, reason: undefined },
  ].sort((a, b) => b.at - a.at || b.pool.localeCompare(a.pool)));
});

test("what moved before the first point is told once", () => {
  const grew = {
    pool: "chat",
    at: start - 400,
    reason: "grew when a request needed more",
    share: 50,
  };
  const earlier = { ...grew, at: start - 60_000 };
  expect(movesOf(history.slice(0, 2), ["chat"], [grew, earlier], start - 30_000)).toEqual([{
    ...grew,
    points: 0,
  }]);
  // The first two points show it themselves.
  const shown = [point(0, 10, 0), point(1, 50, 0)];
  expect(movesOf(shown, ["chat"], [grew], start - 30_000)).toMatchObject([{
    points: 40,
    reason: grew.reason,
  }]);
});

test("a long history is thinned and keeps its end", () => {
  const long = Array.from({ length: 5_000 }, (_, second) => point(second, 1, 1));
  const points = pointsSince(long, start);
  expect(points.length).toBeLessThanOrEqual(900);
  expect(points.at(-1)).toBe(long.at(-1));
  expect(pointsSince(history, start + 2_000)).toEqual(history.slice(2));
});
