import { definePlugin } from "@vmx/core/contract";
import { createMemoryStore } from "./memory-store.ts";

export default definePlugin({
  activate(context) {
    const store = createMemoryStore(context.clock);
    context.provide("capacityStores", "memory", store);
    context.onDispose(() => store.close());
  },
});
