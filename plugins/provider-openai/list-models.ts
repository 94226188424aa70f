import { GatewayError, type PluginContext, ProviderFailure } from "@vmx/core/contract";
import { Secret } from "@vmx/core/kit";
import type { OpenAI } from "openai";
import type { OpenAIConfiguration } from "./configuration.ts";

/** Milliseconds for the whole list. */
const timeoutMs = 30_000;

/**
 * Lists the models the credential may use through the vendor's SDK, which is imported here because it takes a tenth
 * of a second. Rejects with `upstream_authentication_error`, `upstream_error`, a ProviderFailure, or the signal's reason.
 */
export async function listModels(
  configuration: OpenAIConfiguration,
  baseUrl: string,
  context: Pick<PluginContext, "fetch">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const client = await createSdkClient(configuration, baseUrl, context.fetch);
  try {
    const page = await client.models.list({ signal });
    // The SDK makes an empty page of anything it cannot read.
    const readable = Array.isArray(page.data) && (page.object === "list" || page.data.length > 0);
    if (!readable) throw notAList();
    return page.data.map(({ id }) => {
      if (typeof id !== "string") throw notAList();
      return id;
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toGatewayError(error);
  }
}

/** The vendor's client for a connection. Nothing is taken from the process's environment. */
export async function createSdkClient(
  configuration: OpenAIConfiguration,
  baseUrl: string,
  fetch: PluginContext["fetch"],
): Promise<OpenAI> {
  const { OpenAI } = await import("openai");
  const headers = Object.entries(configuration.headers ?? {});
  const defaultHeaders = Object.fromEntries(
    headers.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );
  const client = new OpenAI({
    apiKey: configuration.apiKey.reveal(),
    adminAPIKey: null,
    organization: configuration.organization ?? null,
    project: configuration.project ?? null,
    webhookSecret: null,
    baseURL: baseUrl,
    defaultHeaders,
    fetch,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: "off",
    // The key is the server's own; some runtimes look like a browser to the SDK.
    dangerouslyAllowBrowser: true,
  });
  // The constructor adds the headers of OPENAI_CUSTOM_HEADERS, which are not for every connection's address.
  (client as unknown as { _options: { defaultHeaders: unknown } })._options.defaultHeaders =
    defaultHeaders;
  return client;
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
  const { status } = error as { readonly status?: unknown };
  if (status === 401 || status === 403) {
    return new GatewayError(
      "upstream_authentication_error",
      `Cannot list models: the service refused the credential with ${status}`,
    );
  }
  if (typeof status === "number") {
    return new GatewayError("upstream_error", `Cannot list models: the service answered ${status}`);
  }
  if (error instanceof Error && /timed? ?out/i.test(error.name + error.message)) {
    return new ProviderFailure("timeout", `Cannot list models: no answer within ${timeoutMs} ms`);
  }
  return notAList();
}

function notAList(): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    "Cannot list models: the answer is not a list",
  );
}
