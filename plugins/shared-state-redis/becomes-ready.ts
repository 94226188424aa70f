import type { Redis } from "ioredis";
import type { RedisClient } from "./connection.ts";

/**
 * Waits until a client can carry out commands; of a cluster, all masters. Answers false when connecting fails or takes
 * longer; the client goes on trying.
 */
export async function becomesReady(client: RedisClient, timeoutMs: number): Promise<boolean> {
  const endsAt = performance.now() + timeoutMs;
  if (!await opens(client, timeoutMs)) return false;
  if (!client.isCluster) return true;
  const masters = (client as { nodes(role: "master"): Redis[] }).nodes("master");
  const left = endsAt - performance.now();
  return (await Promise.all(masters.map((node) => opens(node, left)))).every(Boolean);
}

function opens(client: RedisClient, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (client.status === "ready") return resolve(true);
    const end = (isReady: boolean) => {
      clearTimeout(timer);
      client.off("ready", onReady).off("close", onClose);
      resolve(isReady);
    };
    const onReady = () => end(true);
    const onClose = () => end(false);
    const timer = setTimeout(onClose, timeoutMs);
    client.once("ready", onReady).once("close", onClose);
  });
}
