import { hash } from "node:crypto";
import { GatewayError } from "../contract/index.ts";
import type { ApiKeyView, EnvironmentView, Snapshot } from "../store/snapshot.ts";
import { hasValidChecksum, secretPrefix } from "../access/api-key-format.ts";
import type { GatewayServices, IncomingRequest } from "./exchange.ts";

/** Who asks, and in which environment. */
export type Caller =
  | { readonly kind: "api-key"; readonly apiKey: ApiKeyView; readonly environment: EnvironmentView }
  | { readonly kind: "user"; readonly userId: string; readonly environment: EnvironmentView };

/**
 * Reads the credential and finds its principal in the snapshot; no I/O for API keys.
 *
 * Throws `invalid_api_key`, `api_key_disabled`, `api_key_expired`, `ENVIRONMENT_NOT_FOUND`, or `too_many_requests`
 * to a source that keeps being refused.
 */
export async function identify(
  request: IncomingRequest,
  snapshot: Snapshot,
  services: GatewayServices,
): Promise<Caller> {
  try {
    return await findCaller(request, snapshot, services);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.status !== 401) throw error;
    const retryAfterSeconds = services.refusals.note(request.sourceIp);
    if (retryAfterSeconds === undefined) throw error;
    throw new GatewayError(
      "too_many_requests",
      `Too many refused credentials from this address; try again in ${retryAfterSeconds} s`,
      { retryAfterSeconds },
    );
  }
}

function findCaller(
  request: IncomingRequest,
  snapshot: Snapshot,
  services: GatewayServices,
): Caller | Promise<Caller> {
  const credential = readCredential(request);
  const apiKey = credential === undefined ? undefined : findKey(credential, snapshot);
  if (!apiKey) return identifyPerson(request, credential, services);
  const environment = snapshot.environments.get(apiKey.environmentId);
  const now = services.clock.now();
  if (!environment || (apiKey.validUntil && apiKey.validUntil.getTime() <= now)) refuse();
  refuseUnusable(apiKey, now);
  const { path } = request;
  if (
    path &&
    (path.environmentId !== environment.environmentId ||
      path.workspaceId !== environment.workspaceId)
  ) {
    throw new GatewayError(
      "ENVIRONMENT_NOT_FOUND",
      "The environment in the path does not exist or is not the API key's own",
    );
  }
  return { kind: "api-key", apiKey, environment };
}

/** Throws `api_key_disabled` or `api_key_expired`. */
export function refuseUnusable(apiKey: ApiKeyView, now: number): void {
  if (!apiKey.enabled) {
    throw new GatewayError("api_key_disabled", `API key "${apiKey.name}" is disabled`);
  }
  if (apiKey.expiresAt && apiKey.expiresAt.getTime() <= now) {
    throw new GatewayError(
      "api_key_expired",
      `API key "${apiKey.name}" expired at ${apiKey.expiresAt.toISOString()}`,
    );
  }
}

async function identifyPerson(
  request: IncomingRequest,
  credential: string | undefined,
  services: GatewayServices,
): Promise<Caller> {
  if (credential?.startsWith(secretPrefix)) refuse();
  return await services.identifyPerson(request, credential) ?? refuse(credential === undefined);
}

function findKey(credential: string, snapshot: Snapshot): ApiKeyView | undefined {
  if (credential.startsWith(secretPrefix) && !hasValidChecksum(credential)) return undefined;
  return snapshot.apiKeysByHash.get(hash("sha256", credential, "hex"));
}

function readCredential({ headers, duplicateCredential }: IncomingRequest): string | undefined {
  const authorization = headers["authorization"];
  const apiKey = headers["x-api-key"]?.trim() || undefined;
  const bearer = authorization === undefined
    ? undefined
    : /^bearer +(\S+)$/i.exec(authorization.trim())?.[1];
  if (duplicateCredential || (bearer && apiKey && bearer !== apiKey)) {
    throw new GatewayError(
      "invalid_api_key",
      "The request carries more than one credential: send one, as a bearer token or in the header x-api-key",
    );
  }
  return bearer ?? apiKey;
}

function refuse(missing = false): never {
  throw new GatewayError(
    "invalid_api_key",
    missing
      ? "No API key: send one as a bearer token or in the header x-api-key"
      : "The API key is not valid",
  );
}
