import type { Encryption } from "../../contract/encryption.ts";
import { sealedBy } from "../../host/encryption-backends.ts";
import type { PluginHost } from "../../host/plugin-host.ts";
import { StartError } from "../../start-error.ts";
import type { Database } from "../../store/database.ts";
import { KeyFingerprint } from "../../store/entities/index.ts";
import { readSealedRows } from "./sealed-values.ts";

/**
 * Makes sure that every key stored values need is there, and that each version still stands for the key it stood for
 * before; remembers the fingerprints of new versions.
 *
 * Throws a StartError that names the version, never a value.
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
    const needed = new Map<string, Set<number>>([[chosen, new Set()]]);
    for (const { values } of await readSealedRows(em, host)) {
      for (const { sealed } of values) {
        const { backend, keyVersion } = sealedBy(sealed)!;
        needed.set(backend, (needed.get(backend) ?? new Set()).add(keyVersion));
      }
    }
    for (const [backend, versions] of needed) {
      const encryption = await backendFor(backend, versions, host);
      for (const version of versions) {
        if (encryption.keyVersions.includes(version)) continue;
        throw new StartError(
          `Cannot start: stored secrets need key version ${version} of "${backend}", which is not ` +
            `configured; there is ${
              encryption.keyVersions.join(", ")
            }. Put it back, and withdraw it ` +
            "when re-encryption is complete",
        );
      }
      for (const keyVersion of encryption.keyVersions) {
        const fingerprint = encryption.fingerprint(keyVersion);
        const known = await em.findOne(KeyFingerprint, { backend, keyVersion });
        if (!known) em.create(KeyFingerprint, { backend, keyVersion, fingerprint });
        else if (known.fingerprint !== fingerprint) {
          // A version that seals nothing any more may stand for a new key.
          if (!versions.has(keyVersion)) known.fingerprint = fingerprint;
          else {
            throw new StartError(
              `Cannot start: key version ${keyVersion} of "${backend}" is not the key it was when ` +
                "secrets were sealed with it. Give the new key a version of its own",
            );
          }
        }
      }
    }
    await em.flush();
  });
}

async function backendFor(
  backend: string,
  versions: ReadonlySet<number>,
  host: Pick<PluginHost, "find" | "get">,
): Promise<Encryption> {
  try {
    return await host.get("encryptions", backend);
  } catch (cause) {
    throw new StartError(
      `Cannot start: stored secrets need key version ${[...versions].join(", ")} of "${backend}": ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
}
