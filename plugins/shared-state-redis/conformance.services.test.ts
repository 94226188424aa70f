import process from "node:process";
import { runCases, sharedStateCases } from "@vmx/core/conformance";
import { openRedis } from "./connection.ts";
import { createRedisState } from "./redis-state.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };

await runCases(
  "shared state redis",
  sharedStateCases({
    async create() {
      const connection = await openRedis({ url: process.env["VMX_TEST_REDIS_URL"] }, log);
      await connection.ready(2_000);
      await connection.client.flushdb();
      return createRedisState(connection);
    },
    // The server's clock cannot be turned.
    advance: (ms) => new Promise((done) => setTimeout(done, ms)),
  }),
);
