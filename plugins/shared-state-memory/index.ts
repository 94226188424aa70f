import { definePlugin } from "@vmx/core/contract";
import { createMemoryState } from "./memory-state.ts";

export default definePlugin({
  activate(context) {
    const state = createMemoryState(context.clock);
    context.provide("sharedStates", "memory", state);
    context.onDispose(() => state.close());
  },
});
