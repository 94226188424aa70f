import type { ProviderConnection } from "@vmx/core/contract";
import type { Secret } from "@vmx/core/kit";

/** A connection's configuration, validated by the host against `configuration.schema.json`. */
export interface AnthropicConfiguration {
  readonly apiKey: Secret;
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, Secret | string>>;
}

/** Where the vendor's SDK calls when nothing else is set. A test holds it to the SDK's own default. */
export const defaultBaseUrl = "https://api.anthropic.com";

/** What the SDK puts between the base URL and the dialect's paths. */
const versionPath = "/v1";

/** The cast is safe because the host has validated the configuration against the plugin's schema. */
export function configurationOf(connection: ProviderConnection): AnthropicConfiguration {
  return connection.config as unknown as AnthropicConfiguration;
}

/** The base URL as the SDK wants it. One written with the version's path, as other services want it, is meant the same. */
export function sdkBaseUrl({ baseUrl = defaultBaseUrl }: AnthropicConfiguration): string {
  const trimmed = baseUrl.replace(/\/+$/, "");
  return trimmed.endsWith(versionPath) ? trimmed.slice(0, -versionPath.length) : trimmed;
}

/** The address the dialect's paths stand below. */
export function apiBaseUrl(configuration: AnthropicConfiguration): string {
  return sdkBaseUrl(configuration) + versionPath;
}
