import { hash, randomBytes } from "node:crypto";
import { secretPrefix } from "./api-key-format.ts";

/** The least length of a key somebody chooses. */
const shortestShown = 32;
/** How every personal access token begins. */
export const tokenPrefix = "vmx_pat_";

/** A new token with what may be shown of it later. */
export interface NewToken {
  readonly value: string;
  readonly hash: string;
  readonly prefix: string;
  readonly masked: string;
}

/** Makes a personal access token of 256 random bits. */
export function createTokenValue(random: (size: number) => Uint8Array = randomBytes): NewToken {
  const value = tokenPrefix + Buffer.from(random(32)).toString("base64url");
  const prefix = value.slice(0, tokenPrefix.length + 6);
  return { value, hash: hashSecret(value), prefix, masked: `${prefix}…` };
}

/** What is stored of keys, tokens and session ids: the lower-case hex SHA-256 of the whole value. */
export function hashSecret(value: string): string {
  return hash("sha256", value, "hex");
}

/**
 * An API key as lists show it: of one made here the first 12 and the last 4 characters. What somebody chose may begin
 * with what they use elsewhere too, so of such a key only the end is shown, and of a short one nothing.
 */
export function maskApiKey(value: string): string {
  const isMade = value.startsWith(secretPrefix);
  if (value.length < shortestShown) return isMade ? `${secretPrefix}…` : "…";
  return `${isMade ? value.slice(0, 12) : ""}…${value.slice(-4)}`;
}
