import { Secret } from "../kit/index.ts";
import type { Snapshot } from "../store/snapshot.ts";
import { containsAny } from "./contains-any.ts";

const replacement = "[redacted]";
const minSecretLength = 6;
/** How deep JSON within JSON is looked into. */
const maxNesting = 3;

/** How a credential is known in a text. */
interface SecretFormat {
  /** What announces it and stays. */
  readonly behind?: string;
  readonly secret: string;
}

/** Formats of credentials that are never shown, beside those plugins announce. */
const ownFormats: readonly SecretFormat[] = [
  { secret: "vmx_(?:sk|pat)_[A-Za-z0-9_-]{8,}" },
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
      if (secret.length < minSecretLength) continue;
      for (const form of writings(secret)) safe = safe.replaceAll(form, replacement);
    }
    return probes.some((probe) => probe.test(safe)) ? safe.replace(all, replacement) : safe;
  };
}

/** What a provider tells of an error, with secrets taken out of each of its texts. */
export function redactError<Told extends object>(error: Told, redact: Redact): Told {
  return Object.fromEntries(
    Object.entries(error).map(([name, value]) => [
      name,
      typeof value === "string" ? redact(value) : value as unknown,
    ]),
  ) as Told;
}

/** Secrets in every form texts hold them; short ones, which may be words, are left out. */
export function secretForms(secrets: Iterable<string>): Set<string> {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < minSecretLength) continue;
    for (const form of writings(secret)) forms.add(form);
  }
  return forms;
}

/** Every secret value of the configuration's connections. */
export function* connectionSecrets(snapshot: Snapshot): Generator<string> {
  for (const { connections } of snapshot.environments.values()) {
    for (const { config } of connections.values()) if (config) yield* secretValues(config);
  }
}

/**
 * The ways texts write a secret down, the longest first. Most secrets have no character that is written in more than
 * one way.
 */
function writings(secret: string): readonly string[] {
  if (/^[\w.~-]*$/.test(secret)) return [secret];
  const json = (text: string) => JSON.stringify(text).slice(1, -1);
  const percent = encodeURIComponent(secret);
  const forms = new Set([
    secret,
    percent,
    percent.replace(/%../g, (escape) => escape.toLowerCase()),
    new URLSearchParams({ "": secret }).toString().slice(1),
  ]);
  // Services put the text of an error into the text of an error.
  let nested = [secret];
  for (let depth = 0; depth < maxNesting; depth++) {
    nested = [
      ...new Set(nested.flatMap((text) => {
        const plain = json(text);
        return [plain, plain.replaceAll("/", "\\/"), escaped(plain, /[<>&]/g), ascii(plain)];
      })),
    ];
    for (const text of nested) forms.add(text);
  }
  return [...forms].sort((one, other) => other.length - one.length);
}

/** JSON as libraries write it that keep to ASCII. */
function ascii(text: string): string {
  return escaped(text, /[^\x20-\x7e]/g);
}

function escaped(text: string, characters: RegExp): string {
  return text.replace(
    characters,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The values of all `Secret`s of a configuration. */
export function* secretValues(value: unknown): Generator<string> {
  if (value instanceof Secret) yield value.reveal();
  else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) yield* secretValues(member);
  }
}
