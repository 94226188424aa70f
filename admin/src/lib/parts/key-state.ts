import type { ApiKey } from "@vmx/sdk";

/** How usable an API key is, in a word. */
export function keyState(
  key: ApiKey,
  now: number,
): { readonly kind: "good" | "warn" | "bad" | "off"; readonly text: string } {
  if (!key.enabled) return { kind: "off", text: "Disabled" };
  const expires = key.expiresAt ? Date.parse(key.expiresAt) : Infinity;
  if (expires <= now) return { kind: "bad", text: "Expired" };
  if (expires - now < 7 * 86_400_000) return { kind: "warn", text: "Expires soon" };
  return { kind: "good", text: "Enabled" };
}
