import { GatewayError, type PluginContext, ProviderFailure } from "@vmx/core/contract";
import { Secret } from "@vmx/core/kit";
import type { GoogleGenAI } from "@google/genai";
import { baseUrlOf, type GeminiConfiguration } from "./configuration.ts";

/** Milliseconds for the whole list. */
const timeoutMs = 30_000;

/** Most models that are listed; the service has some hundreds. */
const maxModels = 5000;

/**
 * Lists the models the credential may use through the vendor's SDK, which is imported here because it is large.
 * Rejects with `upstream_authentication_error`, `upstream_error`, a ProviderFailure, or the signal's reason.
 */
export async function listModels(
  configuration: GeminiConfiguration,
  context: Pick<PluginContext, "fetch">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let answered = false;
  const fetch: typeof context.fetch = async (input, init) => {
    const response = await context.fetch(input, init);
    // The SDK makes an empty page of anything it cannot read.
    if (response.ok) answered = holdsModels(await response.clone().json());
    return response;
  };
  const client = await createSdkClient(configuration, fetch);
  try {
    const ids: string[] = [];
    const pages = await client.models.list({
      config: { pageSize: 1000, abortSignal: AbortSignal.any([signal, deadline]) },
    });
    for await (const { name } of pages) {
      if (typeof name !== "string") throw notAList();
      ids.push(name.replace(/^models\//, ""));
      if (ids.length >= maxModels) break;
    }
    if (!answered) throw notAList();
    return ids;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (deadline.aborted) {
      throw new ProviderFailure("timeout", `Cannot list models: no answer within ${timeoutMs} ms`);
    }
    throw toGatewayError(error);
  }
}

/** The vendor's client for a connection. Nothing is taken from the process's environment. */
export async function createSdkClient(
  configuration: GeminiConfiguration,
  fetch: PluginContext["fetch"],
): Promise<GoogleGenAI> {
  const { GoogleGenAI } = await import("@google/genai");
  const headers = Object.entries(configuration.headers ?? {});
  return new GoogleGenAI({
    apiKey: configuration.apiKey.reveal(),
    enterprise: false,
    httpOptions: {
      baseUrl: baseUrlOf(configuration),
      // The version stands in the base URL.
      apiVersion: "",
      headers: Object.fromEntries(
        headers.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
      ),
      fetch,
    },
  });
}

function holdsModels(body: unknown): boolean {
  return typeof body === "object" && body !== null &&
    Array.isArray((body as { readonly models?: unknown }).models);
}

/** The SDK's messages may quote the key, so none of them is passed on. */
function toGatewayError(error: unknown): Error {
  for (
    let cause = error, depth = 0;
    cause instanceof Error && depth < 6;
    cause = cause.cause, depth++
  ) {
    if (cause instanceof GatewayError || cause instanceof ProviderFailure) return cause;
  }
  const { status, message } = error as { readonly status?: unknown; readonly message?: unknown };
  const badKey = status === 400 && /API_KEY_(INVALID|EXPIRED)/.test(String(message));
  if (status === 401 || status === 403 || badKey) {
    return new GatewayError(
      "upstream_authentication_error",
      `Cannot list models: the service refused the credential with ${status}`,
    );
  }
  if (typeof status === "number") {
    return new GatewayError("upstream_error", `Cannot list models: the service answered ${status}`);
  }
  return notAList();
}

function notAList(): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    "Cannot list models: the answer is not a list",
  );
}
