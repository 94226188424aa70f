import type { ConnectionTestResult } from "@vmx/schemas";
import { GatewayError } from "../contract/errors.ts";
import type { ProviderConnection } from "../contract/provider.ts";
import { Secret } from "../kit/secret.ts";
import type { HandlerServices } from "./services.ts";

const longestMs = 15_000;
const longestMessage = 500;

/**
 * Tries a connection out: lists the provider's models and, when one is named, calls it for one token. A failure is
 * part of the result; its message holds no secret of the configuration.
 */
export async function testConnection(
  services: HandlerServices,
  providerId: string,
  connection: ProviderConnection,
  model: string | undefined,
): Promise<ConnectionTestResult> {
  const startedAt = services.clock.monotonic();
  const signal = AbortSignal.timeout(longestMs);
  const elapsed = () => Math.round(services.clock.monotonic() - startedAt);
  let modelsFound: number | null = null;
  try {
    const provider = await services.host.get("providers", providerId);
    if (provider.listModels) {
      modelsFound = (await withSignal(provider.listModels(connection, signal), signal)).length;
    }
    if (model === undefined) {
      const message = provider.listModels
        ? {}
        : { message: "The provider lists no models: name one to test a call" };
      return { ok: true, latencyMs: elapsed(), modelsFound, ...message };
    }
    if (!services.tryModel) {
      const message = "Cannot call a model from here";
      return { ok: false, latencyMs: elapsed(), modelsFound, message };
    }
    const { status, message, discovered } = await withSignal(
      services.tryModel({ provider: providerId, connection, model }, signal),
      signal,
    );
    return {
      ok: status < 400,
      latencyMs: elapsed(),
      modelsFound,
      upstreamStatus: status,
      ...(discovered ? { discovered } : {}),
      ...(message ? { message: withoutSecrets(message, connection.config) } : {}),
    };
  } catch (error) {
    const status = statusOf(error);
    return {
      ok: false,
      latencyMs: elapsed(),
      modelsFound,
      message: signal.aborted
        ? `No answer within ${longestMs / 1000} seconds`
        : withoutSecrets(messageOf(error), connection.config),
      ...(status === undefined ? {} : { upstreamStatus: status }),
    };
  }
}

/** Ids of the models a connection's provider lists; undefined when it lists none. Throws `upstream_error`. */
export async function listModels(
  services: HandlerServices,
  providerId: string,
  connection: ProviderConnection,
): Promise<readonly string[] | undefined> {
  const provider = await services.host.get("providers", providerId);
  if (!provider.listModels) return undefined;
  const signal = AbortSignal.timeout(longestMs);
  try {
    return await withSignal(provider.listModels(connection, signal), signal);
  } catch (error) {
    const reason = withoutSecrets(messageOf(error), connection.config);
    throw new GatewayError("upstream_error", `Cannot list the models: ${reason}`);
  }
}

/** A text without the secret values of a configuration, cut to a readable length. */
export function withoutSecrets(text: string, config: ProviderConnection["config"]): string {
  let safe = text;
  for (const secret of secretsIn(config)) {
    if (secret.length >= 4) safe = safe.replaceAll(secret, "[secret]");
  }
  return safe.length > longestMessage ? `${safe.slice(0, longestMessage)}…` : safe;
}

function secretsIn(value: unknown): string[] {
  if (value instanceof Secret) return [value.reveal()];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "The provider failed";
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("status" in error)) return undefined;
  const { status } = error;
  const isUpstream = !(error instanceof GatewayError) && Number.isInteger(status);
  return isUpstream ? status as number : undefined;
}

/** Providers that do not watch the signal are left behind, not waited for. */
function withSignal<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
