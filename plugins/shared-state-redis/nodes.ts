import { Secret } from "@vmx/core/kit";
import type { RedisOptions } from "ioredis";

/** A server to connect to. */
export interface Node {
  readonly host: string;
  readonly port: number;
  readonly options: RedisOptions;
}

/**
 * Reads the comma list of URLs of the setting `url`. Throws an Error that does not repeat it when it is missing or wrong.
 */
export function nodesOf(setting: unknown): readonly Node[] {
  const text = setting instanceof Secret ? setting.reveal() : setting;
  if (typeof text !== "string") throw new Error("Cannot open Redis: REDIS_URL is not set");
  return text.split(",").map((part) => {
    const url = URL.parse(part.trim());
    const isTls = url?.protocol === "rediss:";
    if (!url?.hostname || !(isTls || url.protocol === "redis:")) {
      throw new Error(
        "Cannot open Redis: REDIS_URL is not a redis:// or rediss:// URL with a host",
      );
    }
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const port = Number(url.port || 6379);
    const database = url.pathname.slice(1);
    if (!/^\d*$/.test(database)) {
      throw new Error("Cannot open Redis: the path of REDIS_URL is not the number of a database");
    }
    const options = {
      host,
      port,
      ...(url.username && { username: decodeURIComponent(url.username) }),
      ...(url.password && { password: decodeURIComponent(url.password) }),
      ...(database && { db: Number(database) }),
      ...(isTls && { tls: {} }),
    };
    return { host, port, options };
  });
}

/** Takes passwords out of a text: a server may repeat the arguments of a command it does not know. */
export function hiding(nodes: readonly Node[]): (text: string) => string {
  const secrets = nodes.flatMap(({ options }) => options.password ? [options.password] : []);
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), text);
}
