import { definePlugin } from "@vmx/core/contract";

export default definePlugin({
  async activate(context) {
    const { createExpose } = await import("./expose.ts");
    context.provide("metricSinks", "prometheus", {
      // What usage points say is in the metrics already.
      record: () => Promise.resolve(),
      expose: createExpose(context.clock),
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
  },
});
