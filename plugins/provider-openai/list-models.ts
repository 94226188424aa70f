import type { PluginContext } from "@vmx/core/contract";
import { listModelsFailure, notAModelList, Secret } from "@vmx/core/kit";
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
    if (!readable) throw notAModelList();
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
