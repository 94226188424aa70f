import type { ProviderBootstrap } from "@vmx/schemas";
import { type Encryption, GatewayError, type Log } from "../contract/index.ts";
import type { Contribution, PluginHost } from "../host/plugin-host.ts";
import { checkConfig, sealConfig } from "./connection-config.ts";

/** A connection of the first run with the resource that uses it. */
export interface FirstConnection {
  readonly connectionId: string;
  readonly connection: string;
  readonly resource: string;
  readonly provider: string;
  /** Secrets are sealed. */
  readonly config: Record<string, unknown>;
  /** Undefined when the provider has no default model: then there is no resource. */
  readonly model: string | undefined;
  /** True when it needs no variable. */
  readonly always: boolean;
}

/** The connections that providers' manifests and the variables of this process ask for. */
export async function firstConnections(
  { host, encryption, environment, log }: {
    readonly host: PluginHost;
    readonly encryption: () => Promise<Encryption>;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly log: Log;
  },
  environmentId: string,
): Promise<FirstConnection[]> {
  const connections: FirstConnection[] = [];
  for (const contribution of host.contributions("providers")) {
    const wanted = contribution.entry["bootstrap"] as ProviderBootstrap | undefined;
    const config = wanted && configOf(wanted, environment);
    if (!config) continue;
    const { id } = contribution;
    const connectionId = crypto.randomUUID();
    const connection = wanted.connection ?? id;
    try {
      // The operator's own variables may name any address.
      const egress = { checkUrl: (url: string | URL) => new URL(url) };
      const checked = checkConfig(host, egress, { provider: id, config }, undefined);
      const place = { environmentId, connectionId };
      connections.push({
        connectionId,
        connection,
        resource: wanted.resource ?? `${id}-default`,
        provider: id,
        config: { ...await sealConfig(checked, await encryption(), place) },
        model: defaultModel(contribution),
        always: wanted.always === true,
      });
    } catch (error) {
      // Away is not wrong: the start fails and tries again rather than leave the connection out for good.
      if (!(error instanceof GatewayError) || error.status >= 500) throw error;
      log.warn(`Cannot create connection "${connection}" at the first run: ${error.message}`);
    }
  }
  return connections;
}

/** The configuration a manifest's variables make; undefined when a required one is not set. */
function configOf(
  { always, environment: variables = [] }: ProviderBootstrap,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> | undefined {
  const config: Record<string, unknown> = {};
  for (const { variable, field, required = true } of variables) {
    const value = environment[variable];
    if (value) config[field] = value;
    else if (required && !always) return undefined;
  }
  return always || variables.length > 0 ? config : undefined;
}

function defaultModel({ entry }: Contribution): string | undefined {
  const model = entry["defaultModel"];
  return typeof model === "string" ? model : undefined;
}
