import { definePlugin, type PluginContext } from "@vmx/core/contract";
import { Secret } from "@vmx/core/kit";
import { loadKeyFile } from "./key-file.ts";
import { type KeyRing, parseKey, parseKeyRing } from "./key-ring.ts";

export default definePlugin({
  async activate(context) {
    const ring = await ringOf(context);
    // The library compiles WebAssembly when it is imported.
    const { createLibsodiumEncryption } = await import("./libsodium.ts");
    context.provide("encryptions", "libsodium", await createLibsodiumEncryption(ring));
  },
});

/** The key ring if one is set, else the single key, else the key file. */
async function ringOf({ config, dataDir, log }: PluginContext): Promise<KeyRing> {
  const keys = textOf(config["keys"]);
  if (keys !== undefined) return parseKeyRing(keys, "VMX_ENCRYPTION_KEYS");
  const key = textOf(config["key"]);
  if (key !== undefined) return new Map([[1, parseKey(key, "VMX_ENCRYPTION_KEY")]]);
  return await loadKeyFile(dataDir, log);
}

function textOf(value: unknown): string | undefined {
  return value instanceof Secret ? value.reveal() : typeof value === "string" ? value : undefined;
}
