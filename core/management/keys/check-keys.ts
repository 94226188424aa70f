import type { Encryption } from "../../contract/encryption.ts";
import { sealedBy } from "../../host/encryption-backends.ts";
import type { PluginHost } from "../../host/plugin-host.ts";
import { StartError } from "../../start-error.ts";
import type { Database } from "../../store/database.ts";
import { KeyFingerprint } from "../../store/entities/index.ts";
import { readSealedRows } from "./sealed-values.ts";

/** Key versions by backend. */
type Versions = Map<string, Set<number>>;

/**
 * Makes sure that every key stored values need is there, and that each version still stands for the key it
 * stood for before; remembers the fingerprints of new versions. Processes may do so at the same time.
 *
 * Throws a StartError that names backend and version, never a value.
 */
export async function checkKeys(
  { database, host, chosen }: {
    readonly database: Database;
    readonly host: Pick<PluginHost, "find" | "get" | "plugins">;
    /** Id of the backend that seals. */
    readonly chosen: string;
  },
): Promise<void> {
  await database.transaction(async (em) => {
    const known = await em.find(KeyFingerprint, {});
    const isKnown = (backend: string, version: number) =>
      known.some((key) => key.backend === backend && key.keyVersion === version);
    const needed: Versions = new Map([[chosen, new Set()]]);
    for (const { isCertain, values } of await readSealedRows(em, host)) {
      for (const { sealed } of values) {
        const { backend, keyVersion } = sealedBy(sealed)!;
        // A text that only looks sealed must not be able to stop the start.
        if (!isCertain && !isKnown(backend, keyVersion)) continue;
        needed.set(backend, (needed.get(backend) ?? new Set()).add(keyVersion));
      }
    }
    for (const [backend, versions] of needed) {
      const encryption = await backendFor(backend, versions, host);
      requireVersions(backend, encryption, versions);
      for (const keyVersion of encryption.keyVersions) {
        const key = { backend, keyVersion };
        const fingerprint = encryption.fingerprint(keyVersion);
        if (!isKnown(backend, keyVersion)) {
          await em.upsert(KeyFingerprint, { ...key, fingerprint, createdAt: new Date() }, {
            onConflictAction: "ignore",
          });
        }
        const row = await em.findOneOrFail(KeyFingerprint, key, { refresh: true });
        if (row.fingerprint === fingerprint) continue;
        // A version that seals nothing any more may stand for a new key.
        if (!versions.has(keyVersion)) row.fingerprint = fingerprint;
        else {
          throw new StartError(
            `Cannot start: key version ${keyVersion} of "${backend}" is not the key it was when ` +
              "secrets were sealed with it. Give the new key a version of its own",
          );
        }
      }
    }
  });
}

function requireVersions(
  backend: string,
  { keyVersions }: Encryption,
  versions: ReadonlySet<number>,
): void {
  const missing = [...versions].filter((version) => !keyVersions.includes(version));
  if (missing.length === 0) return;
  throw new StartError(
    `Cannot start: stored secrets need key version ${
      missing.sort((one, other) => one - other).join(", ")
    } of "${backend}", ` +
      `which is not configured; there is ${keyVersions.join(", ")}. Put it back, and withdraw it ` +
      "when re-encryption is complete",
  );
}

async function backendFor(
  backend: string,
  versions: ReadonlySet<number>,
  host: Pick<PluginHost, "get">,
): Promise<Encryption> {
  try {
    return await host.get("encryptions", backend);
  } catch (cause) {
    const keys = versions.size > 0
      ? `stored secrets need key version ${[...versions].join(", ")} of "${backend}"`
      : `secrets are to be sealed by "${backend}"`;
    throw new StartError(`Cannot start: ${keys}: ${(cause as Error).message}`, { cause });
  }
}
