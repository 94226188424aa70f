import { randomBytes } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { createConnections, createKeysWorld, rotateUnderLoad } from "./testing.ts";

const world = await createKeysWorld();
afterAll(() => world.stop());

test("half a minute of rotations under 20 requests per second, and not one failed", async () => {
  const key = () => randomBytes(32).toString("base64");
  const one = key();
  world.accepted.add("first-credential");
  await world.restart({ VMX_ENCRYPTION_KEYS: `1:${one}` });
  const { path, ids } = await createConnections(world, 200, "first-credential");
  await world.restart({ VMX_ENCRYPTION_KEYS: `1:${one},2:${key()}` });
  const { statuses, rotations } = await rotateUnderLoad(world, `${path}/ai-connections/${ids[0]}`, {
    keyVersion: 2,
    requests: 600,
  });
  expect(rotations).toBeGreaterThan(20);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});
