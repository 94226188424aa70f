import type { PluginContext } from "@vmx/core/contract";
import { listModelsFailure, notAModelList, Secret } from "@vmx/core/kit";
import type { Groq } from "groq-sdk";
import { type GroqConfiguration, sdkBaseUrl } from "./configuration.ts";

/** Milliseconds for the whole list. */
const timeoutMs = 30_000;

/**
 * Lists the models the credential may use through the vendor's SDK, which is imported here because it takes a tenth
 * of a second. Rejects with `upstream_authentication_error`, `upstream_error`, a ProviderFailure, or the signal's reason.
 */
export async function listModels(
  configuration: GroqConfiguration,
  context: Pick<PluginContext, "fetch">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const client = await createSdkClient(configuration, context.fetch);
  try {
    const page = await client.models.list({ signal });
    if (!Array.isArray(page?.data)) throw notAModelList();
    return page.data.map(({ id }) => {
      if (typeof id !== "string") throw notAModelList();
      return id;
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw listModelsFailure(error, timeoutMs);
  }
}

/** The vendor's client for a connection. Nothing is taken from the process's environment. */
export async function createSdkClient(
  configuration: GroqConfiguration,
  fetch: PluginContext["fetch"],
): Promise<Groq> {
  const { Groq } = await import("groq-sdk");
  const headers = Object.entries(configuration.headers ?? {});
  const defaultHeaders = Object.fromEntries(
    headers.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );
  const client = new Groq({
    apiKey: configuration.apiKey.reveal(),
    baseURL: sdkBaseUrl(configuration),
    defaultHeaders,
    fetch,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: "off",
    // The key is the server's own; some runtimes look like a browser to the SDK.
    dangerouslyAllowBrowser: true,
  });
  // The constructor adds the headers of GROQ_CUSTOM_HEADERS, which are not for every connection's address.
  (client as unknown as { _options: { defaultHeaders: unknown } })._options.defaultHeaders =
    defaultHeaders;
  return client;
}
