import type { SharedState } from "@vmx/core/contract";
import { type RedisClient, type RedisConnection, redisScript } from "./connection.ts";

/** A process that has not been heard of for so long is not listed any more. */
const forgottenMs = 600_000;
/** How long a first subscription waits for its connection. */
const subscriberTimeoutMs = 2_000;

const increment = redisScript(`
local value = redis.call("INCRBY", KEYS[1], ARGV[1])
if redis.call("PTTL", KEYS[1]) < 0 then redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
return value`);

const lease = redisScript(`
if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return 1 end
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1`);

const release = redisScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
return 0`);

/** Scores are milliseconds of the server's clock, so that ages need no agreement between processes. */
const now = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
const heartbeat = redisScript(`${now}
redis.call("ZADD", KEYS[1], now, ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 0`);
const processes = redisScript(`${now}
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now - ARGV[1])
local found = redis.call("ZRANGE", KEYS[1], 0, -1, "WITHSCORES")
for at = 2, #found, 2 do found[at] = now - found[at] end
return found`);

/** Creates the shared state of all processes that use one Redis. Messages come over a connection of their own. */
export function createRedisState(connection: RedisConnection): SharedState {
  const { client, run } = connection;
  const prefix = `${connection.prefix}state:`;
  const heartbeatsKey = `${prefix}heartbeats`;
  const valueKey = (key: string) => `${prefix}value:${key}`;
  const leaseKey = (name: string) => `${prefix}lease:${name}`;
  const listeners = new Map<string, Set<(message: string) => void>>();
  let subscriber: RedisClient | undefined;

  const attempt = <Result>(action: string, call: () => Promise<Result>): Promise<Result> =>
    call().catch((error: unknown) => {
      throw connection.failure(`Cannot ${action}`, error);
    });
  const openSubscriber = async (): Promise<RedisClient> => {
    if (!subscriber) {
      subscriber = connection.duplicate();
      subscriber.on("message", (channel: string, message: string) => {
        for (const listener of listeners.get(channel) ?? []) listener(message);
      });
    }
    await connection.ready(subscriberTimeoutMs, subscriber);
    return subscriber;
  };

  return {
    shared: true,
    get: (key) => attempt("get", async () => await client.get(valueKey(key)) ?? undefined),
    set: (key, value, ttlMs) =>
      attempt("set", async () => void await client.set(valueKey(key), value, "PX", whole(ttlMs))),
    delete: (key) => attempt("delete", async () => void await client.del(valueKey(key))),
    increment: async (key, by, ttlMs) =>
      Number(await run(increment, valueKey(key), [by, whole(ttlMs)])),
    lease: async (name, owner, ttlMs) =>
      await run(lease, leaseKey(name), [owner, whole(ttlMs)]) === 1,
    release: async (name, owner) => void await run(release, leaseKey(name), [owner]),
    publish: (channel, message) =>
      attempt("publish", async () => void await client.publish(prefix + channel, message)),
    async subscribe(channel, listener) {
      const name = prefix + channel;
      const own = await openSubscriber();
      // Two subscriptions with one listener are two.
      const heard = (message: string) => listener(message);
      const others = listeners.get(name);
      listeners.set(name, (others ?? new Set()).add(heard));
      await attempt("subscribe", () => own.subscribe(name)).catch((error: unknown) => {
        listeners.get(name)?.delete(heard);
        throw error;
      });
      return async () => {
        const left = listeners.get(name);
        if (!left?.delete(heard) || left.size > 0) return;
        listeners.delete(name);
        // A connection that is away has nothing to leave; messages without listeners are dropped.
        await own.unsubscribe(name).catch(() => {});
      };
    },
    heartbeat: async (processId) =>
      void await run(heartbeat, heartbeatsKey, [processId, forgottenMs]),
    async processes() {
      const found = await run(processes, heartbeatsKey, [forgottenMs]) as (string | number)[];
      return Array.from({ length: found.length / 2 }, (_, at) => ({
        processId: String(found[2 * at]),
        ageMs: Number(found[2 * at + 1]),
      }));
    },
    close() {
      listeners.clear();
      return connection.close();
    },
  };
}

/** A whole number of milliseconds, and at least one: Redis takes nothing else. */
function whole(ttlMs: number): number {
  return Math.max(1, Math.ceil(ttlMs));
}
