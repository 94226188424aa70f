import type { ProviderConnection } from "@vmx/core/contract";
import type { Secret } from "@vmx/core/kit";

/** A connection's configuration, validated by the host against `configuration.schema.json`. */
export interface CompatibleConfiguration {
  readonly baseUrl: string;
  readonly apiKey?: Secret;
  readonly headers?: Readonly<Record<string, Secret | string>>;
  readonly dialects?: readonly string[];
  readonly stripParameters?: readonly string[];
  readonly supportsStreamUsage?: boolean;
}

/** The cast is safe because the host has validated the configuration against the plugin's schema. */
export function configurationOf(connection: ProviderConnection): CompatibleConfiguration {
  return connection.config as unknown as CompatibleConfiguration;
}
