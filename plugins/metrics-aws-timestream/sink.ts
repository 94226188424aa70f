import type { MetricSink, UsageGroup } from "@vmx/core/contract";
import type { Service } from "./service.ts";
import { type Place, writeStatement } from "./statement.ts";
import { writeRecord } from "./write-record.ts";

/** Creates the sink of one table. */
export function createSink(service: Service, place: Place): MetricSink {
  return {
    record: (batch) => service.write(batch.map(writeRecord)),
    // A batch is written when `record` has resolved.
    flush: () => Promise.resolve(),
    async query(question) {
      const rows = await service.run(writeStatement(place, question));
      const { dimensions, aggregates } = question;
      return rows.map((row): UsageGroup => ({
        bucket: Number(row[0]),
        dimensions: row.slice(1, 1 + dimensions.length),
        values: row.slice(1 + dimensions.length).map((value, index) =>
          value === null ? aggregates[index]!.function === "sum" ? 0 : null : Number(value)
        ),
      }));
    },
    close: () => Promise.resolve(service.close()),
  };
}
