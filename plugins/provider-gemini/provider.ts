import type {
  PluginContext,
  Provider,
  ProviderConnection,
  ProviderResponse,
} from "@vmx/core/contract";
import { createServiceEndpoint, framingOf, type ServiceEndpoint } from "@vmx/core/kit";
import { classifyError } from "./classify.ts";
import { baseUrlOf, configurationOf } from "./configuration.ts";
import { readLimits } from "./limits.ts";
import { listModels } from "./list-models.ts";
import { profileOf } from "./model-traits.ts";

/** The provider `gemini`: chat and embeddings of the Gemini API over the gateway's own HTTP client. */
export function createGeminiProvider(
  context: Pick<PluginContext, "http" | "fetch" | "clock">,
): Provider {
  const endpoints = new WeakMap<ProviderConnection["config"], ServiceEndpoint>();

  function endpointOf(connection: ProviderConnection): ServiceEndpoint {
    const known = endpoints.get(connection.config);
    if (known !== undefined) return known;
    const configuration = configurationOf(connection);
    const endpoint = createServiceEndpoint({
      baseUrl: baseUrlOf(configuration),
      // In a header, because URLs end up in logs.
      fixed: { "x-goog-api-key": configuration.apiKey.reveal() },
      headers: configuration.headers,
    });
    endpoints.set(connection.config, endpoint);
    return endpoint;
  }

  return {
    operations: ["chat", "embeddings", "models"],

    dialects: () => ["gemini-generate-content"],

    profile: profileOf,

    async send(request, connection, signal): Promise<ProviderResponse> {
      const endpoint = endpointOf(connection);
      const response = await context.http.send({
        method: "POST",
        url: endpoint.url(request.path, request.query),
        headers: endpoint.headers(request.headers),
        body: request.body,
        signal,
      });
      const { status, headers, body } = response;
      return { status, headers, body, framing: framingOf(response, request.stream) };
    },

    limits: (_headers, errorBody) => readLimits(errorBody),

    classify: (answer) => classifyError(answer, context.clock.now()),

    listModels: (connection, signal) => listModels(configurationOf(connection), context, signal),
  };
}
