import {
  createCipheriv,
  createDecipheriv,
  createHash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { type Clock, type Encryption, GatewayError, type SealContext } from "@vmx/core/contract";
import { createDataKeys } from "./data-keys.ts";
import type { KmsKeys } from "./keys.ts";
import type { KeyService } from "./key-service.ts";

const backend = "aws-kms";

/** `aws-kms:<key version>:<wrapped data key>:<salt>:<commitment, ciphertext and tag>`, in base64url. */
const sealedForm =
  /^aws-kms:([1-9][0-9]{0,8}):([A-Za-z0-9_-]{16,8192}):([A-Za-z0-9_-]{43}):([A-Za-z0-9_-]{64,})$/;

const saltBytes = 32;
const commitmentBytes = 32;
const tagBytes = 16;

/** What the backend works with. */
export interface KmsEncryptionParts {
  readonly keys: KmsKeys;
  readonly service: KeyService;
  readonly clock: Pick<Clock, "monotonic">;
}

/** The backend, and the way to erase its keys from memory. */
export interface KmsEncryption extends Encryption {
  forget(): void;
}

/**
 * Envelope encryption: AES-256-GCM under a key derived for each value from a data key that KMS wraps. The commitment
 * makes sure that a value opens under one key only. Version, environment, owner and field are bound as additional data,
 * the environment also in KMS.
 */
export function createKmsEncryption({ keys, service, clock }: KmsEncryptionParts): KmsEncryption {
  const keyVersions = [...keys.keys()].sort((one, other) => one - other);
  const keyVersion = keyVersions.at(-1)!;
  const dataKeys = createDataKeys({ keys, service, clock });

  async function seal(plain: Uint8Array, context: SealContext): Promise<string> {
    const dataKey = await dataKeys.forSealing(context.environment, keyVersion);
    const salt = randomBytes(saltBytes);
    const { key, iv, commitment } = derive(dataKey.plain, salt);
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    cipher.setAAD(boundData(keyVersion, context));
    const sealed = Buffer.concat([
      commitment,
      cipher.update(plain),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return [backend, keyVersion, toText(dataKey.wrapped), toText(salt), toText(sealed)].join(":");
  }

  async function open(sealed: string, context: SealContext): Promise<Uint8Array> {
    const [, versionText, ...texts] = sealedForm.exec(sealed) ?? [];
    if (versionText === undefined) throw unavailable("it has not the form this backend writes");
    const version = Number(versionText);
    if (!keys.has(version)) throw unavailable(`key version ${version} is not in AWS_KMS_KEY_ID`);
    const [wrapped, salt, content] = texts.map(fromText) as [Buffer, Buffer, Buffer];
    const dataKey = await dataKeys.forOpening(context.environment, version, wrapped);
    const { key, iv, commitment } = derive(dataKey.plain, salt);
    if (!timingSafeEqual(commitment, content.subarray(0, commitmentBytes))) {
      throw unavailable("it is damaged, was moved, or was sealed with another key");
    }
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes });
    decipher.setAAD(boundData(version, context));
    decipher.setAuthTag(content.subarray(-tagBytes));
    try {
      return new Uint8Array(Buffer.concat([
        decipher.update(content.subarray(commitmentBytes, -tagBytes)),
        decipher.final(),
      ]));
    } catch {
      throw unavailable("it is damaged, was moved, or was sealed with another key");
    }
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
    fingerprint(version) {
      const key = keys.get(version);
      if (key === undefined) throw unavailable(`key version ${version} is not in AWS_KMS_KEY_ID`);
      return createHash("sha256").update(`vmx key fingerprint\n${key}`).digest("hex").slice(0, 32);
    },
    forget: () => dataKeys.forget(),
  };
}

/** Each value has a key of its own, so no pair of key and nonce is ever used twice. */
function derive(dataKey: Uint8Array, salt: Uint8Array) {
  const bytes = (purpose: string, length: number) =>
    Buffer.from(hkdfSync("sha512", dataKey, salt, `vmx ${backend} ${purpose}`, length));
  return {
    key: bytes("key", 32),
    iv: bytes("nonce", 12),
    commitment: bytes("commitment", commitmentBytes),
  };
}

/** JSON keeps the borders between the members, so that no two contexts share one text. */
function boundData(version: number, { environment, owner, field }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([backend, version, environment, owner, field]));
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function fromText(text: string): Buffer {
  const bytes = Buffer.from(text, "base64url");
  // Base64 lets the last character vary without changing a byte; a stored value has one spelling only.
  if (bytes.toString("base64url") !== text) throw unavailable("it is damaged");
  return bytes;
}

function unavailable(reason: string): GatewayError {
  return new GatewayError("credential_unavailable", `Cannot open a stored secret: ${reason}`);
}
