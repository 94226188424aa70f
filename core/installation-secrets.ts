import type { PluginHost } from "./host/plugin-host.ts";
import { Secret } from "./kit/secret.ts";
import type { Environment } from "./setting-reader.ts";

/** Shorter ones, such as the password of a test database, may be words that stand in texts by right. */
const minLength = 12;

/**
 * The secrets an installation was given as variables: those of core's settings and those plugins' schemas call secret.
 * Of addresses the password, of lists and key rings each part.
 */
export function installationSecrets(
  config: object,
  host: Pick<PluginHost, "plugins">,
  environment: Environment,
): readonly string[] {
  const ofPlugins = host.plugins().flatMap(({ settings }) => {
    const properties = (settings?.schema["properties"] ?? {}) as Record<
      string,
      { format?: string }
    >;
    return Object.entries(settings?.fixed ?? {})
      .filter(([name]) => properties[name]?.format === "secret")
      .map(([, variable]) => environment[variable] ?? "");
  });
  return [...new Set([...secretsOf(config), ...ofPlugins].flatMap(partsOf))];
}

function* secretsOf(value: unknown): Generator<string> {
  if (value instanceof Secret) yield value.reveal();
  else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) yield* secretsOf(member);
  }
}

function partsOf(secret: string): readonly string[] {
  // A comma within a password does not begin another address.
  const parts = secret.split(/,(?=\s*(?:[a-z]+:\/\/|\d+:))/)
    .map((part) => part.trim().replace(/^\d+:(?!\/)/, ""));
  const passwords = parts.flatMap((part) => {
    const password = part.includes("://") ? URL.parse(part)?.password ?? "" : undefined;
    // An address without a password is none.
    return password === undefined ? [part] : [password, decoded(password)];
  });
  return passwords.filter((part) => part.length >= minLength);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
