import type { ProviderConnection } from "@vmx/core/contract";
import type { Secret } from "@vmx/core/kit";

/** A connection's configuration, validated by the host against `configuration.schema.json`. */
export interface GeminiConfiguration {
  readonly apiKey: Secret;
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, Secret | string>>;
}

/** Where the vendor's SDK calls when nothing else is set. A test holds it to the SDK's own default. */
export const defaultBaseUrl = "https://generativelanguage.googleapis.com/v1";

const versioned = /\/v\d+[a-z0-9]*$/;

/** The cast is safe because the host has validated the configuration against the plugin's schema. */
export function configurationOf(connection: ProviderConnection): GeminiConfiguration {
  return connection.config as unknown as GeminiConfiguration;
}

/** The address below which models stand; the SDK's version is added to one that names none. */
export function baseUrlOf({ baseUrl }: GeminiConfiguration): string {
  if (baseUrl === undefined) return defaultBaseUrl;
  const trimmed = baseUrl.replace(/\/+$/, "");
  return versioned.test(trimmed) ? trimmed : `${trimmed}/v1`;
}
