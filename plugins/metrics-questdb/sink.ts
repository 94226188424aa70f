import type { MetricSink, UsageGroup } from "@vmx/core/contract";
import { createTable } from "./columns.ts";
import { writeLines } from "./lines.ts";
import type { Server } from "./server.ts";
import { writeStatement } from "./statement.ts";

/** Creates the sink; its table is made before the first batch and the first query. */
export function createSink(server: Server, table: string): MetricSink {
  let ready: Promise<unknown> | undefined;
  const prepare = () =>
    ready ??= server.run(createTable(table)).catch((error: unknown) => {
      ready = undefined;
      throw error;
    });

  return {
    async record(batch) {
      await prepare();
      await server.write(writeLines(table, batch));
    },
    // A batch is written when `record` has resolved.
    flush: () => Promise.resolve(),
    async query(question) {
      await prepare();
      const rows = await server.run(writeStatement(table, question));
      const { dimensions, aggregates } = question;
      const groups = rows.map((row): UsageGroup => ({
        bucket: Number(row[0]),
        dimensions: row.slice(1, 1 + dimensions.length).map((value) =>
          value === null ? null : String(value)
        ),
        values: row.slice(1 + dimensions.length).map((value, index) =>
          value === null ? aggregates[index]!.function === "sum" ? 0 : null : Number(value)
        ),
      }));
      // A total over nothing is no group.
      if (dimensions.length > 0 || groups.length !== 1) return groups;
      return groups[0]!.values.every((value) => value === null || value === 0) ? [] : groups;
    },
    close: () => Promise.resolve(server.close()),
  };
}
