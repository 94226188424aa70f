import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

/** How every generated API key begins. */
export const secretPrefix = "vmx_sk_";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomLength = 43;
const checksumLength = 6;

/** Makes a new API key: the prefix, 43 random base62 characters (256 bits) and 6 of CRC-32 over both. */
export function createApiKeyValue(random: (size: number) => Uint8Array = randomBytes): string {
  let body = "";
  while (body.length < randomLength) {
    for (const byte of random(64)) {
      // 248 = 4 x 62: larger bytes would favour the alphabet's beginning.
      if (byte < 248 && body.length < randomLength) body += alphabet[byte % 62];
    }
  }
  const value = secretPrefix + body;
  return value + checksum(value);
}

/** Whether a value with the prefix is well formed and its checksum right. */
export function hasValidChecksum(value: string): boolean {
  if (value.length !== secretPrefix.length + randomLength + checksumLength) return false;
  return checksum(value.slice(0, -checksumLength)) === value.slice(-checksumLength);
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let place = 0; place < checksumLength; place++) {
    digits = alphabet[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
