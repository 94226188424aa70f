import { GatewayError } from "../contract/errors.ts";
import type { Encryption } from "../contract/encryption.ts";
import {
  type Configuration,
  type JsonSchema,
  mask,
  valueAt,
  withSecrets,
  withValueAt,
} from "../host/configuration-schema.ts";
import { faultSentence } from "../host/faults.ts";
import type { Contribution, PluginHost } from "../host/plugin-host.ts";
import type { EgressGuard } from "../kit/egress.ts";
import { checkDestinations, mergeSettings, sealSettings } from "./sealed-settings.ts";

/** A configuration as stored: the value of every secret field is a sealed text. */
export interface StoredConfig {
  readonly provider: string;
  readonly config: Configuration;
}

/** A configuration that passed every check, before its new secrets are sealed. */
export interface CheckedConfig {
  readonly contribution: Contribution;
  /** Secrets in `kept` are the stored sealed texts, all others plain. */
  readonly config: Configuration;
  readonly kept: readonly string[];
}

/** Finds a provider by id or alias. Throws `AI_PROVIDER_NOT_FOUND`. */
export function findProvider(host: PluginHost, idOrAlias: string): Contribution {
  const contribution = host.find("providers", idOrAlias);
  if (contribution) return contribution;
  const known = host.contributions("providers").map(({ id }) => id).join(", ");
  throw new GatewayError(
    "AI_PROVIDER_NOT_FOUND",
    `Cannot use provider "${idOrAlias}": no plugin provides it; there are ${known}`,
    { faults: [{ path: "/provider", code: "AI_PROVIDER_NOT_FOUND", message: "is not known" }] },
  );
}

/** The schema of a provider's connections. */
export function schemaOf({ configuration }: Pick<Contribution, "configuration">): JsonSchema {
  return configuration ?? { type: "object", additionalProperties: false };
}

/**
 * Merges what was sent over what is stored and checks the outcome: the provider's schema, the rule that no stored
 * secret follows a changed destination, and the egress rules. A secret that is absent or only asterisks stays.
 *
 * Throws `AI_PROVIDER_NOT_FOUND`, `AI_CONNECTION_CONFIG_INVALID` or `EGRESS_REFUSED`.
 */
export function checkConfig(
  host: PluginHost,
  egress: Pick<EgressGuard, "checkUrl">,
  sent: { readonly provider: string; readonly config: Configuration | null | undefined },
  stored: StoredConfig | undefined,
): CheckedConfig {
  const contribution = findProvider(host, sent.provider);
  const schema = schemaOf(contribution);
  // Another provider's configuration has other members: nothing of the old one is taken over.
  const base = stored?.provider === contribution.id && sent.config !== null ? stored.config : {};
  const { config, kept, faults } = mergeSettings(schema, base, sent.config ?? {});
  if (faults.length > 0) {
    throw new GatewayError(
      "AI_CONNECTION_CONFIG_INVALID",
      `Cannot configure ${contribution.label}: ${faultSentence(faults)}`,
      { faults: faults.map((fault) => ({ ...fault, path: `/config${fault.path}` })) },
    );
  }
  checkDestinations(schema, config, egress);
  return { contribution, config, kept };
}

/** Seals the new secrets of a checked configuration one by one, bound to their place. */
export async function sealConfig(
  { contribution, config, kept }: CheckedConfig,
  encryption: Encryption,
  place: { readonly environmentId: string; readonly connectionId: string },
): Promise<Configuration> {
  const { environmentId: environment, connectionId: owner } = place;
  return await sealSettings(schemaOf(contribution), config, kept, encryption, {
    environment,
    owner,
  });
}

/** A checked configuration as a provider wants it: kept secrets opened, all of them `Secret` values. */
export async function openConfig(
  { contribution, config, kept }: CheckedConfig,
  encryption: () => Promise<Encryption>,
  place: { readonly environmentId: string; readonly connectionId: string },
): Promise<Configuration> {
  let plain = config;
  for (const path of kept) {
    const context = { environment: place.environmentId, owner: place.connectionId, field: path };
    const bytes = await (await encryption()).open(String(valueAt(config, path)), context);
    plain = withValueAt(plain, path, new TextDecoder().decode(bytes));
  }
  return withSecrets(schemaOf(contribution), plain);
}

/** A stored configuration as answers show it; secrets of a provider that is gone are hidden with all the rest. */
export function presentConfig(host: PluginHost, stored: StoredConfig): Configuration {
  const contribution = host.find("providers", stored.provider);
  return contribution ? mask(schemaOf(contribution), stored.config) : {};
}
