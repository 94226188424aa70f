import process from "node:process";
import { capacityStoreCases, runCases } from "@vmx/core/conformance";
import { openRedis } from "@vmx/shared-state-redis/connection";
import { createRedisStore } from "./redis-store.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

await runCases(
  "capacity store redis",
  capacityStoreCases({
    async create() {
      const toNextMinuteMs = 60_000 - Date.now() % 60_000;
      // The server's clock cannot be turned away from the end of a minute.
      if (toNextMinuteMs < 8_000) await wait(toNextMinuteMs + 10);
      const connection = await openRedis({ url: process.env["VMX_TEST_REDIS_URL"] }, log);
      await connection.ready(2_000);
      await connection.client.flushdb();
      return createRedisStore(connection);
    },
    now: () => Date.now(),
    advance: wait,
  }),
);
