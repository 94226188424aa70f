import type { JsonObject, ProviderConnection } from "@vmx/core/contract";
import type { Secret } from "@vmx/core/kit";

/** A connection's configuration, validated by the host against `configuration.schema.json`. */
export interface BedrockConfiguration {
  readonly region: string;
  readonly accessKeyId?: Secret | string;
  readonly secretAccessKey?: Secret;
  readonly sessionToken?: Secret;
  readonly iamRoleArn?: string;
  readonly performanceConfig?: { readonly latency?: "standard" | "optimized" };
  readonly guardrailConfig?: {
    readonly guardrailIdentifier: string;
    readonly guardrailVersion: string;
    readonly trace?: string;
  };
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, Secret | string>>;
}

/** The cast is safe because the host has validated the configuration against the plugin's schema. */
export function configurationOf(connection: ProviderConnection): BedrockConfiguration {
  return connection.config as unknown as BedrockConfiguration;
}

/** Members every body of the connection gets, unless it has them itself. */
export function connectionMembers(configuration: BedrockConfiguration): JsonObject {
  const { performanceConfig, guardrailConfig } = configuration;
  return {
    ...(performanceConfig?.latency === undefined
      ? {}
      : { performanceConfig: { latency: performanceConfig.latency } }),
    ...(guardrailConfig === undefined ? {} : { guardrailConfig: { ...guardrailConfig } }),
  };
}

/** Suffixes of AWS partitions other than the commercial one, by the beginning of a region's name. */
const suffixes: readonly (readonly [string, string])[] = [
  ["cn-", "amazonaws.com.cn"],
  ["us-isob-", "sc2s.sgov.gov"],
  ["us-isof-", "csp.hci.ic.gov"],
  ["us-iso-", "c2s.ic.gov"],
  ["eu-isoe-", "cloud.adc-e.uk"],
  ["eusc-", "amazonaws.eu"],
];

/** The address of an AWS service in a region. A test holds it to the SDK's own rules. */
export function serviceUrl(service: "bedrock" | "bedrock-runtime", region: string): string {
  const suffix = suffixes.find(([start]) => region.startsWith(start))?.[1] ?? "amazonaws.com";
  return `https://${service}.${region}.${suffix}`;
}
