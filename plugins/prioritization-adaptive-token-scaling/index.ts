import { definePlugin } from "@vmx/core/contract";
import { recompute } from "./recompute.ts";

export default definePlugin({
  activate(context) {
    context.provide("prioritizations", "adaptive-token-scaling", { recompute });
  },
});
