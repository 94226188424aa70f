import type {
  PluginContext,
  Provider,
  ProviderConnection,
  ProviderResponse,
} from "@vmx/core/contract";
import { createServiceEndpoint, framingOf, type ServiceEndpoint } from "@vmx/core/kit";
import { adaptBody } from "./adapt.ts";
import { classifyError } from "./classify.ts";
import { apiBaseUrl, configurationOf } from "./configuration.ts";
import { listModels } from "./list-models.ts";
import { profileOf } from "./profile.ts";
import { readLimits } from "./rate-limits.ts";

/** The provider `groq`: Chat Completions and Responses over the gateway's own HTTP client. */
export function createGroqProvider(
  context: Pick<PluginContext, "http" | "fetch" | "clock">,
): Provider {
  const endpoints = new WeakMap<ProviderConnection["config"], ServiceEndpoint>();

  function endpointOf(connection: ProviderConnection): ServiceEndpoint {
    const known = endpoints.get(connection.config);
    if (known !== undefined) return known;
    const configuration = configurationOf(connection);
    const { apiKey, headers } = configuration;
    const endpoint = createServiceEndpoint({
      baseUrl: apiBaseUrl(configuration),
      bearer: apiKey,
      headers,
    });
    endpoints.set(connection.config, endpoint);
    return endpoint;
  }

  return {
    operations: ["chat", "models"],

    dialects: () => ["openai-chat", "openai-responses"],

    profile: profileOf,

    adapt: adaptBody,

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

    limits: readLimits,

    classify: (answer) => classifyError(answer, context.clock.now()),

    listModels: (connection, signal) => listModels(configurationOf(connection), context, signal),
  };
}
