import { createHash } from "node:crypto";
import type { Log } from "@vmx/core/contract";
import type { Cluster, ClusterOptions, Redis, RedisOptions } from "ioredis";
import { hiding, type Node, nodesOf } from "./nodes.ts";
import { becomesReady } from "./becomes-ready.ts";

/** A client of one server or of a cluster. Calls that cannot reach the server reject at once. */
export type RedisClient = Redis | Cluster;

/** A Lua script under the name of its digest. */
export interface RedisScript {
  readonly lua: string;
  readonly digest: string;
}

/** Prepares a script. */
export function redisScript(lua: string): RedisScript {
  return { lua, digest: createHash("sha1").update(lua).digest("hex") };
}

/** An open client. */
export interface RedisConnection {
  readonly client: RedisClient;
  /** What the names of all keys and channels begin with, the colon included; other installations have other ones. */
  readonly prefix: string;
  /**
   * Waits until a client, the first if none is named, is connected. Answers false when that fails or takes longer;
   * the client goes on trying.
   */
  ready(timeoutMs: number, of?: RedisClient): Promise<boolean>;
  /** Carries out a script as one step and answers what it returns. Rejects with `failure`. */
  run(script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** A further client with the same settings, for subscriptions; closed together with this one. */
  duplicate(): RedisClient;
  /** What went wrong in words without credentials. */
  failure(action: string, error: unknown): Error;
  close(): Promise<void>;
}

const defaultPrefix = "vmx";
/** Longest pause between two attempts to connect, in milliseconds. */
const maxPauseMs = 1_000;
/** A server that leaves a command unanswered for so long is taken for gone; deadlines of calls are shorter. */
const silenceMs = 5_000;

/**
 * Opens a client from a plugin's settings `url`, `mode` and `prefix`. It connects in the background and reconnects for ever.
 * Nothing is queued while it is not connected, and nothing is sent twice: a reservation that waits in a queue would
 * be taken long after its caller has gone.
 *
 * Throws an Error when the URL is missing or wrong; it does not repeat the URL.
 */
export async function openRedis(
  config: Readonly<Record<string, unknown>>,
  log: Log,
): Promise<RedisConnection> {
  const nodes = nodesOf(config["url"]);
  const isCluster = config["mode"] === "cluster";
  if (!isCluster && nodes.length > 1) {
    throw new Error("Cannot open Redis: REDIS_URL names several nodes, VMX_REDIS_MODE is single");
  }
  const library = await import("ioredis");
  const hide = hiding(nodes);
  const failure = (action: string, error: unknown): Error =>
    // The library's error carries the command's arguments, those of AUTH included: only its text goes on.
    new Error(`${action}: ${hide(error instanceof Error ? error.message : String(error))}`);

  let isClosing = false;
  const open = (): RedisClient => {
    const client = isCluster
      ? new library.Cluster(
        nodes.map(({ host, port }) => ({ host, port })),
        clusterOptions(nodes[0]!),
      )
      : new library.Redis({ ...nodes[0]!.options, ...steady, retryStrategy: pause });
    if (client.isCluster) connectNodes(client as Cluster);
    followState(client, (error) => failure("Cannot reach Redis", error), () => isClosing, log);
    return client;
  };
  const client = open();
  const others: RedisClient[] = [];
  return {
    client,
    prefix: `${config["prefix"] ?? defaultPrefix}:`,
    failure,
    ready: (timeoutMs, of = client) => becomesReady(of, timeoutMs),
    async run({ lua, digest }, key, args) {
      try {
        return await client.evalsha(digest, 1, key, ...args);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) {
          throw failure("Redis failed", error);
        }
      }
      // A server that has forgotten its scripts has not begun the step.
      return await client.eval(lua, 1, key, ...args).catch((error: unknown) => {
        throw failure("Redis failed", error);
      });
    },
    duplicate() {
      const other = open();
      others.push(other);
      return other;
    },
    close() {
      isClosing = true;
      for (const each of [client, ...others]) each.disconnect();
      return Promise.resolve();
    },
  };
}

/** Options that keep a call from being queued or repeated. */
const steady: RedisOptions = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 3_000,
  socketTimeout: silenceMs,
};

function clusterOptions(node: Node): ClusterOptions {
  const { host: _host, port: _port, ...redisOptions } = node.options;
  return {
    enableOfflineQueue: false,
    redisOptions: { ...redisOptions, ...steady },
    clusterRetryStrategy: pause,
    clusterNodeRetryStrategy: pause,
    maxRedirections: 4,
    // A command whose connection broke may have been carried out.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Commands that fail do not refresh the map of slots then; the clock does.
    slotsRefreshInterval: 2_000,
  };
}

/** Nodes are connected to by their first command, which refuses those beside it meanwhile: this comes before it. */
function connectNodes(cluster: Cluster): void {
  const connect = (node: Redis) => {
    // Until it is ready itself, the cluster wants a node that waits for its commands.
    if (cluster.status === "ready" && node.status === "wait") node.connect().catch(() => {});
  };
  cluster.on("ready", () => cluster.nodes("all").forEach(connect));
  cluster.on("+node", connect);
}

function pause(attempts: number): number {
  return Math.min(maxPauseMs, 50 * 2 ** Math.min(attempts, 10));
}

/** One line for each change: connected, lost. */
function followState(
  client: RedisClient,
  failure: (error: unknown) => Error,
  isClosing: () => boolean,
  log: Log,
): void {
  let isAway = false;
  let last: Error | undefined;
  client.on("error", (error) => void (last = failure(error)));
  client.on("close", () => {
    if (isAway || isClosing()) return;
    isAway = true;
    log.warn("Redis is away", { reason: last?.message ?? "the connection was closed" });
  });
  client.on("ready", () => {
    if (isAway) log.info("Redis is back");
    isAway = false;
  });
}
