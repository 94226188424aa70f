import { definePlugin } from "@vmx/core/contract";
import { openRedis } from "./connection.ts";
import { createRedisState } from "./redis-state.ts";

/** A gateway starts without its Redis, but gives it the time of an ordinary connection first. */
const startMs = 2_000;

export default definePlugin({
  async activate(context) {
    const connection = await openRedis(context.config, context.log);
    context.onDispose(() => connection.close());
    await connection.ready(startMs);
    context.provide("sharedStates", "redis", createRedisState(connection));
  },
});
