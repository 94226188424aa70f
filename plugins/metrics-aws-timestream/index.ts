import { definePlugin } from "@vmx/core/contract";

export default definePlugin({
  async activate(context) {
    const { database, table, region, endpoint } = context.config as {
      readonly database?: string;
      readonly table: string;
      readonly region?: string;
      readonly endpoint?: string;
    };
    if (!database) {
      throw new Error(
        "Cannot write usage to Timestream: AWS_TIMESTREAM_DATABASE_NAME is not set",
      );
    }
    const { createService } = await import("./service.ts");
    const { createSink } = await import("./sink.ts");
    const service = createService({ database, table, region, endpoint }, context.log);
    context.onDispose(() => service.close());
    context.provide("metricSinks", "aws-timestream", createSink(service, { database, table }));
  },
});
