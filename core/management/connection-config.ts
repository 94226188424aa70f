import { type Fault, GatewayError } from "../contract/errors.ts";
import type { Encryption } from "../contract/encryption.ts";
import {
  compileConfiguration,
  type Configuration,
  destinationPaths,
  isMask,
  type JsonSchema,
  mask,
  secretPaths,
  valueAt,
  withSecrets,
  withValueAt,
} from "../host/configuration-schema.ts";
import { faultSentence } from "../host/faults.ts";
import type { Contribution, PluginHost } from "../host/plugin-host.ts";
import type { EgressGuard } from "../kit/egress.ts";
import { mergePatch } from "./merge-patch.ts";

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
  const given = withoutMasks(schema, sent.config ?? {});
  const merged = mergePatch(base, given) as Configuration;
  const kept = secretPaths(schema, merged).filter((path) =>
    valueAt(given, path) === undefined && valueAt(base, path) !== undefined
  );
  const checker = compileConfiguration(schema);
  // A kept secret is a sealed text here, so rules about its own form do not apply to it.
  const exempt = new Set(kept.map(pointerOf));
  const faults = checker.check(merged).filter(({ path }) => !exempt.has(path));
  refuseMovedSecrets(schema, base, given, merged, kept, faults);
  if (faults.length > 0) {
    throw new GatewayError(
      "AI_CONNECTION_CONFIG_INVALID",
      `Cannot configure ${contribution.label}: ${faultSentence(faults)}`,
      { faults: faults.map((fault) => ({ ...fault, path: `/config${fault.path}` })) },
    );
  }
  const config = checker.complete(merged);
  for (const path of destinationPaths(schema, config)) {
    const value = valueAt(config, path);
    if (typeof value === "string" && URL.canParse(value)) egress.checkUrl(value);
  }
  return { contribution, config, kept };
}

/** Seals the new secrets of a checked configuration one by one, bound to their place. */
export async function sealConfig(
  { contribution, config, kept }: CheckedConfig,
  encryption: Encryption,
  place: { readonly environmentId: string; readonly connectionId: string },
): Promise<Configuration> {
  let sealed = config;
  for (const path of secretPaths(schemaOf(contribution), config)) {
    const value = valueAt(config, path);
    if (kept.includes(path) || typeof value !== "string") continue;
    const context = { environment: place.environmentId, owner: place.connectionId, field: path };
    sealed = withValueAt(
      sealed,
      path,
      await encryption.seal(new TextEncoder().encode(value), context),
    );
  }
  return sealed;
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

function withoutMasks(schema: JsonSchema, config: Configuration): Configuration {
  let copy = config;
  for (const path of secretPaths(schema, config)) {
    if (isMask(valueAt(config, path))) copy = withValueAt(copy, path, undefined);
  }
  return copy;
}

/** No secret that the caller did not send may follow a changed destination. */
function refuseMovedSecrets(
  schema: JsonSchema,
  base: Configuration,
  given: Configuration,
  merged: Configuration,
  kept: readonly string[],
  faults: Fault[],
): void {
  if (kept.length === 0) return;
  const destinations = new Set([
    ...destinationPaths(schema, base),
    ...destinationPaths(schema, merged),
  ]);
  for (const destination of destinations) {
    const before = JSON.stringify(valueAt(base, destination));
    const after = JSON.stringify(valueAt(merged, destination));
    // A secret destination is sealed, so being sent anew counts as changed.
    const sentAnew = typeof valueAt(given, destination) === "string" &&
      secretPaths(schema, merged).includes(destination);
    const staying = kept.filter((path) => path !== destination);
    if ((before === after && !sentAnew) || staying.length === 0) continue;
    faults.push({
      path: pointerOf(destination),
      code: "secret_required",
      message: `cannot change while stored secrets are kept: re-enter ${
        staying.join(", ")
      } to change ${destination}`,
    });
  }
}

function pointerOf(path: string): string {
  const names = (path.match(/(?:\\.|[^.\\])+/g) ?? []).map((name) => name.replace(/\\(.)/g, "$1"));
  return names.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
