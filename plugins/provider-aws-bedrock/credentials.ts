import {
  GatewayError,
  type PluginContext,
  type ProviderConnection,
  ProviderFailure,
} from "@vmx/core/contract";
import { Secret } from "@vmx/core/kit";
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import { type BedrockConfiguration, configurationOf } from "./configuration.ts";

/** How the host's own cloud identity is used. */
export interface CredentialSettings {
  /** Whether connections without credentials may use it. */
  readonly ambient: boolean;
  /** The host's identity; the SDK's default chain when absent. */
  readonly host?: AwsCredentialIdentityProvider;
  /** Where roles are assumed; the region's own service when absent. */
  readonly stsEndpoint?: string;
}

/** Finds the credentials a connection signs with. */
export interface CredentialSource {
  /**
   * Rejects with `credential_unavailable`, `upstream_authentication_error`, a ProviderFailure, or the signal's reason.
   */
  of(connection: ProviderConnection, signal: AbortSignal): Promise<AwsCredentialIdentity>;
  /** Forgets what was fetched for a connection, because the service refused it. */
  forget(connection: ProviderConnection): void;
}

/** Session name of assumed roles, seen in the account's own audit trail. */
const sessionName = "vm-x-gateway";

/** Milliseconds before its end at which a fetched credential is no longer used. */
const reserveMs = 5 * 60_000;

interface Fetched {
  readonly credentials: Promise<AwsCredentialIdentity>;
  /** Unix milliseconds; unknown while it is being fetched. */
  usableUntil: number;
}

/**
 * Static keys as they are; roles and the host's identity are fetched once for all requests that wait, and kept until
 * five minutes before their end. The SDK is loaded when one of the latter is first needed.
 */
export function createCredentialSource(
  context: Pick<PluginContext, "http" | "clock">,
  settings: CredentialSettings,
): CredentialSource {
  const fetched = new Map<string, Fetched>();
  let host = settings.host;

  function share(
    key: string,
    fetch: () => Promise<AwsCredentialIdentity>,
  ): Promise<AwsCredentialIdentity> {
    const now = context.clock.now();
    const known = fetched.get(key);
    if (known && now < known.usableUntil) return known.credentials;
    for (const [each, { usableUntil }] of fetched) if (usableUntil <= now) fetched.delete(each);
    const entry: Fetched = { credentials: fetch(), usableUntil: Number.POSITIVE_INFINITY };
    fetched.set(key, entry);
    entry.credentials.then(
      ({ expiration }) => {
        if (expiration) entry.usableUntil = expiration.getTime() - reserveMs;
      },
      () => {
        if (fetched.get(key) === entry) fetched.delete(key);
      },
    );
    return entry.credentials;
  }

  async function hostIdentity(): Promise<AwsCredentialIdentity> {
    if (!host) {
      const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
      host ??= fromNodeProviderChain();
    }
    try {
      return await host();
    } catch (cause) {
      throw new GatewayError(
        "credential_unavailable",
        "Cannot sign the request: the gateway's host has no cloud identity",
        { cause },
      );
    }
  }

  async function assumeRole(
    { region, iamRoleArn }: BedrockConfiguration,
    externalId: string,
  ): Promise<AwsCredentialIdentity> {
    const masterCredentials = await hostIdentity();
    const { fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
    const { createSdkTransport } = await import("./sdk-transport.ts");
    const assume = fromTemporaryCredentials({
      masterCredentials,
      params: {
        RoleArn: iamRoleArn!,
        RoleSessionName: sessionName,
        ExternalId: externalId,
      },
      clientConfig: {
        region,
        // Shared by many requests: none of their signals may break it off.
        requestHandler: createSdkTransport(context.http, new AbortController().signal),
        maxAttempts: 2,
        ...(settings.stsEndpoint === undefined ? {} : { endpoint: settings.stsEndpoint }),
      },
    });
    try {
      return await assume();
    } catch (error) {
      throw asFailure(error);
    }
  }

  return {
    async of(connection, signal) {
      const configuration = configurationOf(connection);
      const { accessKeyId, secretAccessKey, sessionToken } = configuration;
      if (accessKeyId !== undefined && secretAccessKey !== undefined) {
        return {
          accessKeyId: reveal(accessKeyId),
          secretAccessKey: reveal(secretAccessKey),
          ...(sessionToken === undefined ? {} : { sessionToken: reveal(sessionToken) }),
        };
      }
      const key = keyOf(connection);
      if (configuration.iamRoleArn !== undefined) {
        const externalId = `${connection.workspaceId}:${connection.environmentId}`;
        return await untilAborted(share(key, () => assumeRole(configuration, externalId)), signal);
      }
      if (!settings.ambient) {
        throw new GatewayError(
          "credential_unavailable",
          `Cannot sign the request: connection "${connection.name}" has no credentials, and the host's ` +
            "are not to be used (VMX_AMBIENT_CREDENTIALS is deny)",
        );
      }
      return await untilAborted(share(key, hostIdentity), signal);
    },
    forget(connection) {
      fetched.delete(keyOf(connection));
    },
  };
}

function keyOf(connection: ProviderConnection): string {
  const { iamRoleArn, region } = configurationOf(connection);
  if (iamRoleArn === undefined) return "host";
  return JSON.stringify([
    iamRoleArn,
    region,
    connection.workspaceId,
    connection.environmentId,
  ]);
}

function reveal(value: Secret | string): string {
  return value instanceof Secret ? value.reveal() : value;
}

/** Waits no longer than the request lives; what it waited for goes on for the others. */
async function untilAborted<Value>(wanted: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) throw signal.reason;
  let leave = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave);
  });
  try {
    return await Promise.race([wanted, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** The service's own words may name accounts and principals, so none of them is passed on. */
function asFailure(error: unknown): Error {
  if (error instanceof GatewayError || error instanceof ProviderFailure) return error;
  const status = (error as { readonly $metadata?: { readonly httpStatusCode?: number } })
    .$metadata?.httpStatusCode;
  if (status !== undefined && status >= 500) {
    return new GatewayError(
      "credential_unavailable",
      `Cannot assume the role: the service answered ${status}`,
      { cause: error },
    );
  }
  return new GatewayError(
    "upstream_authentication_error",
    `Cannot assume the role: the service refused it${
      status === undefined ? "" : ` with ${status}`
    }`,
    { cause: error },
  );
}
