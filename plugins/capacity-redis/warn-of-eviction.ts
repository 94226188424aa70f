import type { Log } from "@vmx/core/contract";
import type { RedisConnection } from "@vmx/shared-state-redis/connection";

/**
 * Warns once per policy when the server may evict keys: an evicted counter is a forgotten limit. Looks whenever a
 * connection is made, since a restarted server may have other settings. Servers that hide their memory settings are
 * trusted.
 */
export function warnOfEviction({ client }: RedisConnection, log: Log): void {
  let warned = "noeviction";
  client.on("ready", () => {
    // INFO and not CONFIG, which managed services forbid.
    client.info("memory").then((text) => {
      const policy = /^maxmemory_policy:(\S+)/m.exec(text)?.[1] ?? warned;
      if (policy !== warned && policy !== "noeviction") {
        log.warn("Redis may forget limits: set maxmemory-policy to noeviction", {
          maxmemoryPolicy: policy,
        });
      }
      warned = policy;
    }, () => {});
  });
}
