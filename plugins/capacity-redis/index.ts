import { definePlugin } from "@vmx/core/contract";
import { openRedis } from "@vmx/shared-state-redis/connection";
import { createRedisStore } from "./redis-store.ts";
import { warnOfEviction } from "./warn-of-eviction.ts";

/** A gateway starts without its Redis, but gives it the time of an ordinary connection first. */
const startMs = 2_000;

export default definePlugin({
  async activate(context) {
    const connection = await openRedis(context.config, context.log);
    context.onDispose(() => connection.close());
    warnOfEviction(connection, context.log);
    await connection.ready(startMs);
    context.provide("capacityStores", "redis", createRedisStore(connection));
  },
});
