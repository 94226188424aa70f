import { Secret } from "../kit/index.ts";

const replacement = "[redacted]";
const minSecretLength = 6;

/** Formats of credentials that are never shown, beside those plugins announce. */
const ownPatterns = [
  "vmx_(?:sk|pat)_[A-Za-z0-9]{8,}",
  "(?<=\\b[Bb]earer )[A-Za-z0-9._~+/=-]{8,}",
  '(?<=://)[^/\\s:@"]+:[^/\\s@"]+(?=@)',
  '(?<=[?&](?:key|api[_-]?key|token|access_token|secret|password|signature)=)[^&\\s"]+',
];

/** Takes secrets out of a text: known formats, and the secret values of a configuration when it is given. */
export type Redact = (text: string, config?: Readonly<Record<string, unknown>>) => string;

/**
 * @param patterns regular expressions of credentials plugins announce in their manifests
 */
export function createRedact(patterns: readonly string[]): Redact {
  const formats = new RegExp([...ownPatterns, ...patterns].map((p) => `(?:${p})`).join("|"), "g");
  return (text, config) => {
    let safe = text;
    for (const secret of config ? secretValues(config) : []) {
      if (secret.length >= minSecretLength) safe = safe.replaceAll(secret, replacement);
    }
    return safe.replace(formats, replacement);
  };
}

function* secretValues(value: unknown): Generator<string> {
  if (value instanceof Secret) yield value.reveal();
  else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) yield* secretValues(member);
  }
}
