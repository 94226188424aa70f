import { Secret } from "../kit/index.ts";
import type { Snapshot } from "../store/snapshot.ts";

const replacement = "[redacted]";
const minSecretLength = 6;

/** Formats of credentials that are never shown, beside those plugins announce. */
const ownPatterns = [
  "vmx_(?:sk|pat)_[A-Za-z0-9]{8,}",
  "(?<=\\b[Bb]earer )[A-Za-z0-9._~+/=-]{8,}",
  '(?<=://)[^/\\s:@"]+:[^/\\s@"]+(?=@)',
  // Headers that carry credentials, as `name: value` and as a member of a JSON text.
  '(?<=\\b(?i:authorization|cookie|set-cookie|x-api-key|x-goog-api-key|x-vmx-csrf)\\\\?"?[:=] ?\\\\?"?)' +
  '(?:(?i:bearer|basic) )?[^\\s"\\\\][^\\r\\n"\\\\]*',
  "(?<=\\bvmx_session=)[\\w-]{8,}",
  '(?<=[?&](?:key|api[_-]?key|token|access_token|secret|password|signature)=)[^&\\s"]+',
];

/** Takes secrets out of a text: known formats, and the secret values of a configuration when it is given. */
export type Redact = (text: string, config?: Readonly<Record<string, unknown>>) => string;

/**
 * @param patterns regular expressions of credentials plugins announce in their manifests
 * @param known secret values of the configuration in force; they are taken out wherever they stand
 */
export function createRedact(
  patterns: readonly string[],
  known: () => readonly string[] = () => [],
): Redact {
  const formats = new RegExp([...ownPatterns, ...patterns].map((p) => `(?:${p})`).join("|"), "g");
  return (text, config) => {
    let safe = text;
    for (const secret of known()) {
      if (safe.includes(secret)) safe = safe.replaceAll(secret, replacement);
    }
    for (const secret of config ? secretValues(config) : []) {
      if (secret.length >= minSecretLength) safe = safe.replaceAll(secret, replacement);
    }
    return safe.replace(formats, replacement);
  };
}

/** Every secret value of the configuration's connections, in the forms texts hold them. */
export function knownSecrets(snapshot: Snapshot): readonly string[] {
  const values = new Set<string>();
  for (const { connections } of snapshot.environments.values()) {
    for (const { config } of connections.values()) {
      for (const secret of config ? secretValues(config) : []) {
        if (secret.length < minSecretLength) continue;
        values.add(secret).add(JSON.stringify(secret).slice(1, -1)).add(encodeURIComponent(secret));
      }
    }
  }
  return [...values];
}

function* secretValues(value: unknown): Generator<string> {
  if (value instanceof Secret) yield value.reveal();
  else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) yield* secretValues(member);
  }
}
