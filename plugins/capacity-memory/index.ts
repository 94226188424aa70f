import { definePlugin } from "@vmx/core/contract";
import { createForwardClock } from "./forward-clock.ts";
import { createMemoryStore } from "./memory-store.ts";

export default definePlugin({
  activate(context) {
    const store = createMemoryStore(createForwardClock(context.clock));
    context.provide("capacityStores", "memory", store);
    context.onDispose(() => store.close());
  },
});
