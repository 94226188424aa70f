import { definePlugin } from "@vmx/core/contract";

export default definePlugin({
  async activate(context) {
    const { createJexlEvaluator } = await import("./evaluator.ts");
    context.provide("routings", "jexl", createJexlEvaluator());
  },
});
