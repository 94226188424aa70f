import { Secret } from "../kit/index.ts";
import type { Snapshot } from "../store/snapshot.ts";
import { containsAny } from "./contains-any.ts";

const replacement = "[redacted]";
const minSecretLength = 6;

/** How a credential is known in a text. */
interface SecretFormat {
  /** What announces it and stays. */
  readonly behind?: string;
  readonly secret: string;
}

/** Formats of credentials that are never shown, beside those plugins announce. */
const ownFormats: readonly SecretFormat[] = [
  { secret: "vmx_(?:sk|pat)_[A-Za-z0-9]{8,}" },
  { behind: "\\b[Bb]earer ", secret: "[A-Za-z0-9._~+/=-]{8,}" },
  { behind: "://", secret: '[^/\\s:@"]+:[^/\\s@"]+(?=@)' },
  // Headers that carry credentials, as `name: value` and as a member of a JSON text.
  {
    behind: "\\b(?i:authorization|cookie|set-cookie|x-api-key|x-goog-api-key|x-vmx-csrf)" +
      '\\\\?"?[:=] ?\\\\?"?',
    secret: '(?:(?i:bearer|basic) )?[^\\s"\\\\][^\\r\\n"\\\\]*',
  },
  { behind: "\\bvmx_session=", secret: "[\\w-]{8,}" },
  {
    behind: "[?&](?:key|api[_-]?key|token|access_token|secret|password|signature)=",
    secret: '[^&\\s"]+',
  },
];

/** Takes secrets out of a text: known formats, and the secret values of a configuration when it is given. */
export type Redact = (text: string, config?: Readonly<Record<string, unknown>>) => string;

/**
 * @param patterns regular expressions of credentials plugins announce in their manifests
 * @param known secret values of the configuration in force; they are taken out wherever they stand. The same list as
 * long as they do not change
 */
export function createRedact(
  patterns: readonly string[],
  known: () => readonly string[] = () => [],
): Redact {
  const formats = [...ownFormats, ...patterns.map((secret): SecretFormat => ({ secret }))];
  const all = new RegExp(
    formats.map(({ behind, secret }) => `(?:${behind ? `(?<=${behind})` : ""}${secret})`).join("|"),
    "g",
  );
  // One by one and read forwards they are found ten times as fast as all together with a look behind; and nearly all
  // texts hold none of them.
  const probes = formats.map(({ behind = "", secret }) => new RegExp(`${behind}(?:${secret})`));
  let values: readonly string[] = [];
  let holdsValue = containsAny(values);

  return (text, config) => {
    let safe = text;
    if (values !== known()) holdsValue = containsAny(values = known());
    if (holdsValue(safe)) {
      for (const secret of values) safe = safe.replaceAll(secret, replacement);
    }
    for (const secret of config ? secretValues(config) : []) {
      if (secret.length >= minSecretLength) safe = safe.replaceAll(secret, replacement);
    }
    return probes.some((probe) => probe.test(safe)) ? safe.replace(all, replacement) : safe;
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
