import sodium from "libsodium-wrappers";
import { type Encryption, GatewayError, type SealContext } from "@vmx/core/contract";
import type { KeyRing } from "./key-ring.ts";

const backend = "libsodium";

/** `libsodium:<key version>:<nonce>:<ciphertext>`, both in base64url. */
const sealedForm = /^libsodium:([1-9][0-9]{0,8}):([A-Za-z0-9_-]{32}):([A-Za-z0-9_-]{22,})$/;

/**
 * Encryption with XChaCha20-Poly1305 and random nonces. The highest version of the ring seals; every version opens.
 * Backend, version, environment, owner and field are bound to the value as additional data.
 */
export async function createLibsodiumEncryption(ring: KeyRing): Promise<Encryption> {
  await sodium.ready;
  const keyVersions = [...ring.keys()].sort((one, other) => one - other);
  const keyVersion = keyVersions.at(-1);
  if (keyVersion === undefined) throw new Error("Cannot set up encryption: the key ring is empty");

  async function seal(plain: Uint8Array, context: SealContext): Promise<string> {
    const version = keyVersion as number;
    const nonce = sodium.randombytes_buf(sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
      plain,
      boundData(version, context),
      null,
      nonce,
      keyOf(version),
    );
    return `${backend}:${version}:${toText(nonce)}:${toText(sealed)}`;
  }

  async function open(sealed: string, context: SealContext): Promise<Uint8Array> {
    const [, version, nonce, text] = sealedForm.exec(sealed) ?? [];
    if (version === undefined || nonce === undefined || text === undefined) {
      throw unavailable("it has not the form this backend writes");
    }
    const key = keyOf(Number(version));
    const bytes = fromText(text);
    // Base64 lets the last character vary without changing a byte; a stored value has one spelling only.
    if (toText(bytes) !== text) throw unavailable("it is damaged");
    try {
      return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        null,
        bytes,
        boundData(Number(version), context),
        fromText(nonce),
        key,
      );
    } catch {
      throw unavailable("it is damaged, was moved, or was sealed with another key");
    }
  }

  function keyOf(version: number): Uint8Array {
    const key = ring.get(version);
    if (key === undefined) throw unavailable(`key version ${version} is not in the key ring`);
    return key;
  }

  function versionOf(sealed: string): number | undefined {
    const version = sealedForm.exec(sealed)?.[1];
    return version === undefined ? undefined : Number(version);
  }

  return {
    keyVersion,
    keyVersions,
    seal,
    open,
    versionOf,
    async rewrap(sealed, context) {
      const plain = await open(sealed, context);
      return versionOf(sealed) === keyVersion ? sealed : await seal(plain, context);
    },
    fingerprint: (version) =>
      sodium.crypto_generichash(16, "vmx key fingerprint", keyOf(version), "hex"),
  };
}

/** JSON keeps the borders between the members, so that no two contexts share one text. */
function boundData(version: number, { environment, owner, field }: SealContext): string {
  return JSON.stringify([backend, version, environment, owner, field]);
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function fromText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

function unavailable(reason: string): GatewayError {
  return new GatewayError("credential_unavailable", `Cannot open a stored secret: ${reason}`);
}
