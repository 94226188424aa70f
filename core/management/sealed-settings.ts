import type { Fault } from "../contract/errors.ts";
import type { Encryption } from "../contract/encryption.ts";
import {
  compileConfiguration,
  type Configuration,
  destinationPaths,
  isMask,
  type JsonSchema,
  secretPaths,
  valueAt,
  withValueAt,
} from "../host/configuration-schema.ts";
import type { EgressGuard } from "../kit/egress.ts";
import { mergePatch } from "./merge-patch.ts";

/** Settings after a merge, before their new secrets are sealed. */
export interface MergedSettings {
  /** With the schema's defaults. Secrets in `kept` are the stored sealed texts, all others plain. */
  readonly config: Configuration;
  /** Paths of the secrets that stay as they are stored. */
  readonly kept: readonly string[];
  /** What is wrong; with any, `config` must not be used. */
  readonly faults: readonly Fault[];
}

/**
 * Merges what was sent over what is stored and checks the outcome: the schema, and the rule that no stored secret
 * follows a changed destination. A secret that is absent or only asterisks stays.
 */
export function mergeSettings(
  schema: JsonSchema,
  stored: Configuration,
  sent: Configuration,
): MergedSettings {
  const given = withoutMasks(schema, sent);
  const merged = mergePatch(stored, given) as Configuration;
  const kept = secretPaths(schema, merged).filter((path) =>
    valueAt(given, path) === undefined && valueAt(stored, path) !== undefined
  );
  const checker = compileConfiguration(schema);
  // A kept secret is a sealed text here, so rules about its own form do not apply to it.
  const exempt = new Set(kept.map(pointerOf));
  const faults = checker.check(merged).filter(({ path }) => !exempt.has(path));
  refuseMovedSecrets(schema, stored, given, merged, kept, faults);
  return { config: faults.length > 0 ? merged : checker.complete(merged), kept, faults };
}

/** Throws `egress_refused` when a destination is an address the gateway must not call. */
export function checkDestinations(
  schema: JsonSchema,
  config: Configuration,
  egress: Pick<EgressGuard, "checkUrl">,
): void {
  for (const path of destinationPaths(schema, config)) {
    const value = valueAt(config, path);
    if (typeof value === "string" && URL.canParse(value)) egress.checkUrl(value);
  }
}

/** Seals the secrets that are new one by one, bound to their place. */
export async function sealSettings(
  schema: JsonSchema,
  config: Configuration,
  kept: readonly string[],
  encryption: Encryption,
  place: { readonly environment: string; readonly owner: string },
): Promise<Configuration> {
  let sealed = config;
  for (const path of secretPaths(schema, config)) {
    const value = valueAt(config, path);
    if (kept.includes(path) || typeof value !== "string") continue;
    const context = { ...place, field: path };
    const text = await encryption.seal(new TextEncoder().encode(value), context);
    sealed = withValueAt(sealed, path, text);
  }
  return sealed;
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
