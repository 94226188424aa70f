import type { IdentityProvider } from "../../contract/index.ts";
import { GatewayError } from "../../contract/errors.ts";
import type { ManagementServices } from "../services.ts";
import { createLoginFlows, type LoginFlows } from "./login-flows.ts";

/** What is decided about people who sign in through an identity provider. */
export interface FederationSettings {
  /** Name of the role a user created this way is given. */
  readonly defaultRole: string;
  /** Path of the claim that holds what `roleMap` maps; absent maps nothing. */
  readonly roleClaim: string | undefined;
  readonly roleMap: readonly { readonly value: string; readonly role: string }[];
  /** Whether a verified email links a login to the local user who has it. */
  readonly linkByEmail: boolean;
}

/** How federated login stands. */
export type FederationState =
  | { readonly enabled: false }
  | {
    readonly enabled: true;
    readonly label: string;
    readonly state: "ok" | "away";
    /** Since when it has been so, as far as this process saw. */
    readonly since: Date;
    /** Why it is away, without secrets. */
    readonly error?: string;
  };

/** Federated login of one process. */
export interface Federation {
  readonly settings: FederationSettings;
  readonly flows: LoginFlows;
  /** The identity provider. Throws `OIDC_NOT_CONFIGURED`, or `OIDC_RESPONSE_ERROR` when it cannot be set up. */
  provider(): Promise<IdentityProvider>;
  /** Asks the provider whether it answers, at most once in half a minute. */
  state(): Promise<FederationState>;
}

/** Milliseconds a look at the provider counts for, and how long the first look is waited for. */
const lookEveryMs = 30_000;
const patienceMs = 2_000;

/** What federation stands on. */
export type FederationParts = Pick<
  ManagementServices,
  "host" | "loader" | "sharedState" | "clock" | "log"
>;

/**
 * Creates federated login over one contribution of `identityProviders`. It is on as soon as all settings that the
 * plugin's schema requires are set, by variables or by what is stored.
 */
export function createFederation(
  parts: FederationParts,
  contribution: string | undefined,
  settings: FederationSettings,
): Federation {
  const { host, loader, clock } = parts;
  let known: { error: string | undefined; since: number; lookedAt: number } | undefined;
  let looking: Promise<void> | undefined;

  function isEnabled(): boolean {
    const found = contribution === undefined
      ? undefined
      : host.find("identityProviders", contribution);
    const plugin = found && host.plugins().find(({ id }) => id === found.pluginId);
    if (!plugin || plugin.outcome.state === "disabled") return false;
    const required = (plugin.settings?.schema["required"] ?? []) as readonly string[];
    const stored = loader.current().plugins.get(plugin.id)?.settings ?? {};
    return required.every((name) =>
      Object.hasOwn(plugin.settings!.fixed, name) || Object.hasOwn(stored, name)
    );
  }

  async function provider(): Promise<IdentityProvider> {
    if (contribution === undefined || !isEnabled()) {
      throw new GatewayError(
        "OIDC_NOT_CONFIGURED",
        "Cannot sign in through an identity provider: none is configured",
      );
    }
    try {
      return await host.get("identityProviders", contribution);
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new GatewayError("OIDC_RESPONSE_ERROR", `Cannot set up federated login: ${reason}`, {
        cause,
      });
    }
  }

  async function look(): Promise<void> {
    const error = await provider().then((one) => one.check?.()).then(
      () => undefined,
      (reason: unknown) => reason instanceof Error ? reason.message : "it does not answer",
    );
    const now = clock.now();
    const isSame = known !== undefined && (known.error === undefined) === (error === undefined);
    if (!isSame && error !== undefined) {
      parts.log.warn("The identity provider is away: nobody can sign in through it", { error });
    } else if (!isSame && known !== undefined) {
      parts.log.info("The identity provider answers again");
    }
    known = { error, since: isSame ? known!.since : now, lookedAt: now };
  }

  return {
    settings,
    flows: createLoginFlows(parts),
    provider,
    async state() {
      if (!isEnabled()) return { enabled: false };
      if (known === undefined || clock.now() - known.lookedAt > lookEveryMs) {
        looking ??= look().finally(() => looking = undefined);
        // A page that is opened meanwhile is told what was known before.
        let timer: ReturnType<typeof setTimeout> | undefined;
        const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, patienceMs));
        await Promise.race([looking, enough]).finally(() => clearTimeout(timer));
      }
      const active = host.active("identityProviders", contribution!);
      const { label } = active ?? host.find("identityProviders", contribution!)!;
      const error = known === undefined ? "it has not answered yet" : known.error;
      return {
        enabled: true,
        label,
        state: error === undefined ? "ok" : "away",
        since: new Date(known?.since ?? clock.now()),
        ...(error === undefined ? {} : { error }),
      };
    },
  };
}
