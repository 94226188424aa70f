import type { Anthropic } from "@anthropic-ai/sdk";
import type { PluginContext } from "@vmx/core/contract";
import { listModelsFailure, notAModelList, readBody, Secret } from "@vmx/core/kit";
import { type AnthropicConfiguration, sdkBaseUrl } from "./configuration.ts";

/** Milliseconds for each page. */
const timeoutMs = 30_000;

/** Models asked for at once, the most the service gives; and pages read, so that a broken one cannot go on for ever. */
const pageSize = 1000;
const maxPages = 10;

const maxPageBytes = 8 * 1024 * 1024;

interface Page {
  readonly ids: readonly string[];
  readonly next: string | undefined;
}

/**
 * Lists the models the credential may use through the vendor's SDK, which is imported here because it takes a tenth
 * of a second. Rejects with `upstream_authentication_error`, `upstream_error`, `upstream_invalid_response`, a
 * ProviderFailure, or the signal's reason.
 */
export async function listModels(
  configuration: AnthropicConfiguration,
  context: Pick<PluginContext, "fetch">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const client = await createSdkClient(configuration, context.fetch);
  try {
    const ids: string[] = [];
    let afterId: string | undefined;
    for (let page = 0; page < maxPages; page++) {
      const query = { limit: pageSize, ...(afterId === undefined ? {} : { after_id: afterId }) };
      const response = await client.models.list(query, { signal }).asResponse();
      const read = await readPage(response);
      ids.push(...read.ids);
      if (read.next === undefined || read.next === afterId) break;
      afterId = read.next;
    }
    return ids;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw listModelsFailure(error, timeoutMs);
  }
}

/** The vendor's client for a connection. Nothing is taken from the process's environment. */
export async function createSdkClient(
  configuration: AnthropicConfiguration,
  fetch: PluginContext["fetch"],
): Promise<Anthropic> {
  const { Anthropic } = await import("@anthropic-ai/sdk");
  const headers = Object.entries(configuration.headers ?? {});
  const defaultHeaders = Object.fromEntries(
    headers.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );
  const client = new Anthropic({
    apiKey: configuration.apiKey.reveal(),
    webhookKey: null,
    baseURL: sdkBaseUrl(configuration),
    defaultHeaders,
    fetch,
    maxRetries: 0,
    timeout: timeoutMs,
    openTelemetry: false,
    logLevel: "off",
  });
  // The constructor adds the headers of ANTHROPIC_CUSTOM_HEADERS, which are not for every connection's address.
  (client as unknown as { _options: { defaultHeaders: unknown } })._options.defaultHeaders =
    defaultHeaders;
  return client;
}

/** Reads a page by hand: the SDK makes an empty one of anything it cannot read. */
async function readPage(response: Response): Promise<Page> {
  const bytes = await readBody(response.body ?? empty(), maxPageBytes);
  let page: Partial<Record<"data" | "has_more" | "last_id", unknown>> | null;
  try {
    page = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw notAModelList();
  }
  const data = page?.data;
  if (!Array.isArray(data)) throw notAModelList();
  const ids = data.map((model: { readonly id?: unknown } | null) => {
    if (typeof model?.id !== "string") throw notAModelList();
    return model.id;
  });
  const more = page?.has_more === true && typeof page.last_id === "string";
  return { ids, next: more ? String(page?.last_id) : undefined };
}

async function* empty(): AsyncGenerator<Uint8Array> {}
