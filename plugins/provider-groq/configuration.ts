import type { ProviderConnection } from "@vmx/core/contract";
import type { Secret } from "@vmx/core/kit";

/** A connection's configuration, validated by the host against `configuration.schema.json`. */
export interface GroqConfiguration {
  readonly apiKey: Secret;
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, Secret | string>>;
}

/** Where the vendor's SDK calls when nothing else is set. A test holds it to the SDK's own default. */
export const defaultBaseUrl = "https://api.groq.com";

/** What the SDK puts between the base URL and the dialects' paths. */
const compatiblePath = "/openai/v1";

/** The cast is safe because the host has validated the configuration against the plugin's schema. */
export function configurationOf(connection: ProviderConnection): GroqConfiguration {
  return connection.config as unknown as GroqConfiguration;
}

/** The base URL as the SDK wants it. One written with its path, as the vendor's guide for other SDKs has it, is meant the same. */
export function sdkBaseUrl({ baseUrl = defaultBaseUrl }: GroqConfiguration): string {
  const trimmed = baseUrl.replace(/\/+$/, "");
  return trimmed.endsWith(compatiblePath) ? trimmed.slice(0, -compatiblePath.length) : trimmed;
}

/** The address the dialects' paths stand below. */
export function apiBaseUrl(configuration: GroqConfiguration): string {
  return sdkBaseUrl(configuration) + compatiblePath;
}
