/**
 * Estimates the tokens of a text without a tokenizer: a quarter token per ASCII character, one per other code
 * point, rounded up. Linear and fast; meant for reservations and routing, not for billing.
 */
export function estimateTokens(text: string): number {
  const bytes = Buffer.byteLength(text);
  if (bytes === text.length) return Math.ceil(bytes / 4);
  let ascii = 0;
  let others = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 128) ascii++;
    // The second half of a surrogate pair belongs to the code point already counted.
    else if (code < 0xdc00 || code > 0xdfff) others++;
  }
  return Math.ceil(ascii / 4 + others);
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
