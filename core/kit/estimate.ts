import type { Json } from "../contract/json.ts";

/**
 * Estimates the tokens of a text without a tokenizer: a quarter token per ASCII character, one per other code
 * point, rounded up. Linear and fast; meant for reservations and routing, not for billing.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(quarterTokens(text) / 4);
}

/**
 * Estimates the tokens of a value's JSON text without writing it, which would take several times as long.
 * Escapes are not counted.
 */
export function estimateJsonTokens(value: Json | undefined): number {
  return value === undefined ? 0 : Math.ceil(quarterTokensOfJson(value) / 4);
}

/** Characters up to which a loop beats the native count. */
const shortText = 64;

/** Quarters of tokens: one per ASCII character, four per other code point. */
function quarterTokens(text: string): number {
  const { length } = text;
  // The native count is fast for each byte and slow for each call.
  if (length > shortText && Buffer.byteLength(text) === length) return length;
  let wide = 0;
  let lowSurrogates = 0;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code < 128) continue;
    wide++;
    // The second half of a surrogate pair belongs to the code point already counted.
    if ((code & 0xfc00) === 0xdc00) lowSurrogates++;
  }
  return length + 3 * wide - 4 * lowSurrogates;
}

function quarterTokensOfJson(value: Json): number {
  if (typeof value === "string") return quarterTokens(value) + 2;
  if (typeof value !== "object" || value === null) return String(value).length;
  let quarters = 2;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) quarters += quarterTokensOfJson(item);
    members = value.length;
  } else {
    for (const name in value) {
      const item = (value as Readonly<Record<string, Json | undefined>>)[name];
      if (item === undefined) continue;
      quarters += quarterTokens(name) + 3 + quarterTokensOfJson(item);
      members++;
    }
  }
  return quarters + Math.max(0, members - 1);
}

/** Fixed parts of an input estimate, in tokens. */
export const estimateWeights = {
  perRequest: 3,
  perMessage: 4,
  image: 1000,
  imageLowDetail: 85,
  mediaByReference: 1500,
  /** Decoded bytes of documents and audio that make one token. */
  mediaBytesPerToken: 40,
} as const;

/** Estimates the tokens of base64 media from the length of its text. */
export function estimateMediaTokens(base64Length: number): number {
  return Math.ceil((base64Length * 3) / 4 / estimateWeights.mediaBytesPerToken);
}
