import { definePlugin } from "@vmx/core/contract";

export default definePlugin({
  async activate(context) {
    const { createConditionsEvaluator } = await import("./evaluator.ts");
    context.provide("routings", "conditions", createConditionsEvaluator());
  },
});
