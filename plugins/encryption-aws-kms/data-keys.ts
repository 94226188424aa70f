import { createHash } from "node:crypto";
import type { Clock } from "@vmx/core/contract";
import type { KmsKeys } from "./keys.ts";
import type { KeyContext, KeyService } from "./key-service.ts";

/** A data key in use. */
export interface DataKey {
  readonly plain: Uint8Array;
  /** The same, wrapped by KMS; it travels with every value sealed under it. */
  readonly wrapped: Uint8Array;
}

/** Data keys, kept in memory for a while. */
export interface DataKeys {
  /** The key that seals values of an environment. */
  forSealing(environment: string, version: number): Promise<DataKey>;
  /** The key a value was sealed under. */
  forOpening(environment: string, version: number, wrapped: Uint8Array): Promise<DataKey>;
  /** Erases all keys. */
  forget(): void;
}

/** Milliseconds a data key stays in memory, and values one may seal. */
export const dataKeyLimits = { lifeMs: 5 * 60_000, uses: 2 ** 20, mostKept: 10_000 } as const;

interface Kept {
  readonly key: Promise<DataKey>;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/**
 * One data key per environment and version: what opens a value also seals the next ones, so that processes come to
 * share one key. A call to KMS is made once for all who wait for it; what failed is not remembered.
 */
export function createDataKeys(
  { keys, service, clock }: {
    readonly keys: KmsKeys;
    readonly service: KeyService;
    readonly clock: Pick<Clock, "monotonic">;
  },
): DataKeys {
  const opened = new Map<string, Kept>();
  const sealing = new Map<string, Kept & { uses: number }>();

  function keep<Entry extends Kept>(map: Map<string, Entry>, name: string, entry: Entry): Entry {
    map.delete(name);
    map.set(name, entry);
    if (map.size > dataKeyLimits.mostKept) map.delete(map.keys().next().value!);
    entry.key.catch(() => {
      if (map.get(name) === entry) map.delete(name);
    });
    return entry;
  }

  function prune(): void {
    const now = clock.monotonic();
    for (const map of [opened, sealing]) {
      for (const [name, { until }] of map) if (until <= now) map.delete(name);
    }
  }

  return {
    async forSealing(environment, version) {
      prune();
      const name = `${version} ${environment}`;
      let kept = sealing.get(name);
      if (!kept || kept.uses >= dataKeyLimits.uses) {
        const until = clock.monotonic() + dataKeyLimits.lifeMs;
        const key = service.generate(keys.get(version)!, contextOf(environment, version));
        kept = keep(sealing, name, { key, until, uses: 0 });
        key.then(({ wrapped }) => keep(opened, openedName(name, wrapped), { key, until })).catch(
          () => {},
        );
      }
      kept.uses++;
      return await kept.key;
    },

    async forOpening(environment, version, wrapped) {
      prune();
      const name = `${version} ${environment}`;
      const known = opened.get(openedName(name, wrapped));
      if (known) return await known.key;
      const until = clock.monotonic() + dataKeyLimits.lifeMs;
      const key = service.unwrap(keys.get(version)!, wrapped, contextOf(environment, version)).then(
        (plain) => ({ plain, wrapped }),
      );
      keep(opened, openedName(name, wrapped), { key, until });
      const found = await key;
      if (!sealing.has(name)) keep(sealing, name, { key, until, uses: 0 });
      return found;
    },

    forget() {
      for (const { key } of [...opened.values(), ...sealing.values()]) {
        key.then(({ plain }) => plain.fill(0), () => {});
      }
      opened.clear();
      sealing.clear();
    },
  };
}

function contextOf(environment: string, version: number): KeyContext {
  return { "vmx:environment": environment, "vmx:keyVersion": String(version) };
}

function openedName(name: string, wrapped: Uint8Array): string {
  return `${name} ${createHash("sha256").update(wrapped).digest("base64url")}`;
}
