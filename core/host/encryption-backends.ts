import type { Encryption } from "../contract/encryption.ts";
import type { PluginHost } from "./plugin-host.ts";

/** Backend and key version a sealed text names at its beginning; undefined when it is no sealed text. */
export function sealedBy(
  sealed: string,
): { readonly backend: string; readonly keyVersion: number } | undefined {
  const [, backend, version] = /^([a-z][a-z0-9-]{0,62}):([1-9][0-9]{0,8}):/.exec(sealed) ?? [];
  return backend === undefined ? undefined : { backend, keyVersion: Number(version) };
}

/** All backends as one. */
export interface EncryptionBackends extends Encryption {
  /** Id of the backend that seals. */
  readonly backend: string;
}

/**
 * The chosen backend, which seals, and behind it all others, which open what they sealed: so values can move
 * from one backend to another while both are configured. A backend is activated when the first value of its
 * own is met.
 */
export function createEncryptionBackends(
  host: Pick<PluginHost, "get" | "find">,
  chosen: string,
): () => Promise<EncryptionBackends> {
  async function backendOf(sealed: string): Promise<Encryption> {
    const backend = sealedBy(sealed)?.backend;
    const other = backend !== undefined && backend !== chosen && host.find("encryptions", backend);
    return await host.get("encryptions", other ? other.id : chosen);
  }

  return async () => {
    const primary = await host.get("encryptions", chosen);
    return {
      backend: chosen,
      keyVersion: primary.keyVersion,
      keyVersions: primary.keyVersions,
      seal: (plain, context) => primary.seal(plain, context),
      open: async (sealed, context) => await (await backendOf(sealed)).open(sealed, context),
      async rewrap(sealed, context) {
        const backend = await backendOf(sealed);
        if (backend === primary) return await primary.rewrap(sealed, context);
        return await primary.seal(await backend.open(sealed, context), context);
      },
      versionOf: (sealed) => primary.versionOf(sealed),
      fingerprint: (version) => primary.fingerprint(version),
    };
  };
}
