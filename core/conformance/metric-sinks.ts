import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type {
  Measurement,
  MetricSink,
  UsageGroup,
  UsageQuestion,
} from "../contract/metric-sink.ts";
import type { Case } from "./case.ts";

/** What the suite needs of a metric sink. */
export interface MetricSinkSubject {
  /** A fresh sink that holds nothing. */
  create(): Promise<MetricSink>;
  /** A sink whose service cannot be reached. */
  createAway(): Promise<MetricSink>;
  /** Milliseconds until what was recorded can be queried, at most. */
  readonly settleMs: number;
  /** Why a point that is recorded twice counts twice, for services that cannot help it. */
  readonly doubles?: string;
}

const workspaceId = "11111111-1111-4111-8111-111111111111";
const environmentId = "22222222-2222-4222-8222-222222222222";
const hourMs = 3_600_000;

/** What every `MetricSink` must do; those without `query` are only recorded to. */
export function metricSinkCases(subject: MetricSinkSubject): readonly Case[] {
  // An hour of its own for each case: some services cannot forget.
  let hours = Math.floor(Date.now() / hourMs) - 100;
  const over = (run: (sink: MetricSink, at: number) => Promise<void>) => async () => {
    const sink = await subject.create();
    hours += 3;
    try {
      await run(sink, hours * hourMs);
    } finally {
      await sink.close();
    }
  };

  /** Asks until the answer is what is wanted, or time is up. */
  async function expect(
    sink: MetricSink,
    question: Partial<UsageQuestion> & { readonly start: number },
    wanted: (groups: readonly UsageGroup[]) => void,
  ): Promise<void> {
    if (!sink.query) return;
    const asked: UsageQuestion = {
      workspaceId,
      environmentId,
      end: question.start + hourMs,
      bucketStarts: [question.start],
      timeZone: "UTC",
      dimensions: [],
      filters: [],
      aggregates: [{ measure: "totalTokens", function: "sum" }],
      ...question,
    };
    const until = performance.now() + subject.settleMs;
    for (;;) {
      const groups = [...await sink.query(asked)].sort((a, b) =>
        JSON.stringify([a.bucket, a.dimensions]) < JSON.stringify([b.bucket, b.dimensions]) ? -1 : 1
      );
      try {
        return wanted(groups);
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  return [
    {
      name: "adds up what was recorded, by dimension and bucket",
      run: over(async (sink, start) => {
        await sink.record([
          point(start, 1, { model: "small" }),
          point(start + 60_000, 2, { model: "small" }),
          point(start + 60_000, 4, { model: "large" }),
          point(start + 200_000, 8, { model: "large" }),
        ]);
        await sink.flush();
        await expect(
          sink,
          { start },
          (groups) => deepEqual(groups.map(({ values }) => values), [[15]]),
        );
        await expect(
          sink,
          {
            start,
            end: start + 240_000,
            bucketStarts: [start, start + 60_000, start + 120_000, start + 180_000],
            granularity: "minute",
            dimensions: ["model"],
          },
          (groups) =>
            deepEqual(
              groups.map(({ bucket, dimensions, values }) => [bucket, ...dimensions, ...values]),
              [
                [0, "small", 1],
                [1, "large", 4],
                [1, "small", 2],
                [3, "large", 8],
              ],
            ),
        );
      }),
    },
    {
      name: "averages, extremes and percentiles leave out what was not measured",
      run: over(async (sink, start) => {
        const durations = Array.from({ length: 100 }, (_, index) => (index + 1) * 10);
        await sink.record([
          ...durations.map((requestDuration, index) =>
            point(start + index, 0, {}, { requestDuration })
          ),
          point(start + 500, 0, {}, { requestDuration: null }),
        ]);
        const functions = ["avg", "min", "max", "p50", "p95", "p99"] as const;
        await expect(sink, {
          start,
          aggregates: functions.map((name) => ({ measure: "requestDuration", function: name })),
        }, (groups) => {
          const values = groups[0]?.values ?? [];
          for (const [index, exact] of [505, 10, 1_000, 500, 950, 990].entries()) {
            const told = values[index] ?? 0;
            ok(
              Math.abs(told - exact) <= exact * 0.02,
              `${functions[index]}: ${told}, not ${exact}`,
            );
          }
        });
      }),
    },
    {
      name: "answers of one environment alone, within the range, the end not included",
      run: over(async (sink, start) => {
        await sink.record([
          point(start, 1),
          point(start - 1, 2),
          point(start + hourMs, 4),
          point(start, 8, { environmentId: workspaceId }),
          point(start, 16, { workspaceId: environmentId }),
        ]);
        await expect(
          sink,
          { start },
          (groups) => deepEqual(groups.map(({ values }) => values), [[1]]),
        );
      }),
    },
    {
      name: "chooses points by conditions on dimensions, measures and metadata",
      run: over(async (sink, start) => {
        await sink.record([
          point(start, 1, { model: "it's", statusCode: "200", "metadata.te-am.x": "a" }),
          point(start + 1, 2, { model: "b", statusCode: "503", "metadata.te-am.x": "b" }),
          point(start + 2, 4, { statusCode: "429" }),
        ]);
        const total = async (filter: UsageQuestion["filters"][number], wanted: number) =>
          await expect(
            sink,
            { start, filters: [filter] },
            (groups) => equal(groups[0]?.values[0] ?? 0, wanted, JSON.stringify(filter)),
          );
        await total({ field: "model", operator: "eq", value: "it's" }, 1);
        await total({ field: "model", operator: "neq", value: "b" }, 5);
        await total({ field: "model", operator: "eq", value: null }, 4);
        await total({ field: "model", operator: "is_not", value: null }, 3);
        await total({ field: "model", operator: "in", value: ["it's", "b"] }, 3);
        await total({ field: "model", operator: "nin", value: ["b"] }, 5);
        await total({ field: "statusCode", operator: "gte", value: 429 }, 6);
        await total({ field: "totalTokens", operator: "lt", value: 4 }, 3);
        await total({ field: "metadata.te-am.x", operator: "eq", value: "b" }, 2);
        await expect(
          sink,
          { start, dimensions: ["metadata.te-am.x"] },
          (groups) =>
            deepEqual(groups.map(({ dimensions, values }) => [...dimensions, ...values]), [
              ["a", 1],
              ["b", 2],
              [null, 4],
            ]),
        );
      }),
    },
    {
      name: "takes texts of any kind",
      run: over(async (sink, start) => {
        const model = 'a "b" \\ c, d=e\nf ü 🙂';
        await sink.record([point(start, 1, { model, correlationId: model, "metadata.k": model })]);
        await expect(sink, { start, dimensions: ["model"] }, (groups) => {
          equal(groups.length, 1);
          equal(groups[0]!.dimensions[0]!.replace("\n", " "), model.replace("\n", " "));
        });
      }),
    },
    {
      name: "counts a point once when its batch comes twice",
      ...(subject.doubles === undefined ? {} : { skip: subject.doubles }),
      run: over(async (sink, start) => {
        const batch = [point(start, 1), { ...point(start, 2), leg: 1 }];
        await sink.record(batch);
        await sink.record(batch);
        await expect(
          sink,
          { start },
          (groups) => deepEqual(groups.map(({ values }) => values), [[3]]),
        );
      }),
    },
    {
      name: "rejects while its service is away",
      async run() {
        const sink = await subject.createAway();
        await rejects(sink.record([point(hours * hourMs, 1)]));
        await sink.close();
      },
    },
  ];
}

let requests = 0;

function point(
  at: number,
  totalTokens: number,
  dimensions: Measurement["dimensions"] = {},
  measures: Measurement["measures"] = {},
): Measurement {
  return {
    at,
    leg: 0,
    measures: { totalTokens, requestCount: 1, legCount: 1, ...measures },
    dimensions: { workspaceId, environmentId, requestId: `request ${requests++}`, ...dimensions },
  };
}
