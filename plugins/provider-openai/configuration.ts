import type { ProviderConnection } from "@vmx/core/contract";
import type { Secret } from "@vmx/core/kit";

/** A connection's configuration, validated by the host against `configuration.schema.json`. */
export interface OpenAIConfiguration {
  readonly apiKey: Secret;
  readonly organization?: string;
  readonly project?: string;
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, Secret | string>>;
}

/** Where the vendor's SDK calls when nothing else is set. A test holds it to the SDK's own default. */
export const defaultBaseUrl = "https://api.openai.com/v1";

/** The cast is safe because the host has validated the configuration against the plugin's schema. */
export function configurationOf(connection: ProviderConnection): OpenAIConfiguration {
  return connection.config as unknown as OpenAIConfiguration;
}
