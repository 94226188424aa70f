import type {
  PluginContext,
  Provider,
  ProviderConnection,
  ProviderResponse,
} from "@vmx/core/contract";
import {
  createServiceEndpoint,
  framingOf,
  readRateLimits,
  type ServiceEndpoint,
} from "@vmx/core/kit";
import { adaptBody } from "./adapt.ts";
import { classifyError } from "./classify.ts";
import { configurationOf, defaultBaseUrl } from "./configuration.ts";
import { listModels } from "./list-models.ts";

/** The provider `openai`: Chat Completions, Responses and embeddings over the gateway's own HTTP client. */
export function createOpenAIProvider(
  context: Pick<PluginContext, "http" | "fetch" | "clock">,
): Provider {
  const endpoints = new WeakMap<ProviderConnection["config"], ServiceEndpoint>();

  function endpointOf(connection: ProviderConnection): ServiceEndpoint {
    const known = endpoints.get(connection.config);
    if (known !== undefined) return known;
    const { apiKey, baseUrl, headers, organization, project } = configurationOf(connection);
    const endpoint = createServiceEndpoint({
      baseUrl: baseUrl ?? defaultBaseUrl,
      bearer: apiKey,
      fixed: { "openai-organization": organization, "openai-project": project },
      headers,
    });
    endpoints.set(connection.config, endpoint);
    return endpoint;
  }

  return {
    operations: ["chat", "embeddings", "models"],

    dialects({ callerDialect, operation }) {
      if (operation === "embeddings") return ["openai-chat"];
      // Messages callers think in blocks and reasoning items, which Responses can carry.
      return callerDialect === "anthropic-messages"
        ? ["openai-responses", "openai-chat"]
        : ["openai-chat", "openai-responses"];
    },

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

    limits: (headers) => readRateLimits(headers),

    classify: (answer) => classifyError(answer, context.clock.now()),

    listModels: (connection, signal) => {
      const configuration = configurationOf(connection);
      return listModels(configuration, configuration.baseUrl ?? defaultBaseUrl, context, signal);
    },
  };
}
