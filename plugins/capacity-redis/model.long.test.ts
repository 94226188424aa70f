import { test } from "vitest";
import { playSequences } from "./sequences/testing.ts";
import { startRedisServer } from "./testing.ts";

test("no sequence of steps tells the store from the reference, 10,000 times", async () => {
  const server = await startRedisServer();
  try {
    await playSequences(server.url, 10_000);
  } finally {
    await server.stop();
  }
});
