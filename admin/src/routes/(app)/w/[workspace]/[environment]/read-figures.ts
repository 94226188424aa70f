import type { UsageQuery } from "@vmx/sdk";
import type { Scope } from "#lib/api/scope.ts";
import { vmx } from "#lib/api/vmx.ts";
import { type Figure, figureAgg, figuresOf, lastHours, requestsIn, timeAgg } from "./figures.ts";

const hours = 24;

/** Reads the figures of the last 24 hours; none when there was no request. */
export async function readFigures(scope: Scope): Promise<readonly Figure[]> {
  const now = Date.now();
  const starts = lastHours(hours + 1, now);
  const dateRange = {
    start: new Date(now - hours * 3_600_000).toISOString(),
    end: new Date(now).toISOString(),
  };
  const ask = (agg: UsageQuery["agg"], rest: Partial<UsageQuery>) =>
    scope.api.usage.query({ filter: { dateRange }, agg, dimensions: [], ...rest });
  const both = async (agg: UsageQuery["agg"]) => {
    const [total, byHour] = await Promise.all([
      ask(agg, { compare: "previous" }),
      ask(agg, { granularity: "hour" }),
    ]);
    return { total, byHour };
  };
  const [sums, p50, p95, currency] = await Promise.all([
    both(figureAgg),
    both(timeAgg("p50")),
    both(timeAgg("p95")),
    // Who may not read prices sees amounts all the same.
    vmx.priceLists.list().then(({ data }) => data[0]?.currency ?? "USD", () => "USD"),
  ]);
  const answers = {
    ...sums,
    times: { p50: p50.total, p95: p95.total },
    timesByHour: { p50: p50.byHour, p95: p95.byHour },
  };
  return requestsIn(answers) === 0 ? [] : figuresOf(answers, starts, currency);
}
