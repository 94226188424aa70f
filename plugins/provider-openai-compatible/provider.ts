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
import { configurationOf } from "./configuration.ts";
import { listModels } from "./list-models.ts";

/** The provider `openai-compatible`: any service that speaks one of the inbound dialects. */
export function createCompatibleProvider(context: Pick<PluginContext, "http">): Provider {
  const endpoints = new WeakMap<ProviderConnection["config"], ServiceEndpoint>();

  function endpointOf(connection: ProviderConnection): ServiceEndpoint {
    const known = endpoints.get(connection.config);
    if (known !== undefined) return known;
    const { baseUrl, apiKey, headers } = configurationOf(connection);
    const endpoint = createServiceEndpoint({ baseUrl, bearer: apiKey, headers });
    endpoints.set(connection.config, endpoint);
    return endpoint;
  }

  return {
    operations: ["chat", "embeddings", "models"],

    dialects({ operation }, connection) {
      if (operation === "embeddings") return ["openai-chat"];
      return configurationOf(connection).dialects ?? ["openai-chat"];
    },

    adapt: (request, connection) => adaptBody(request, configurationOf(connection)),

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

    classify: ({ status, code, type }) =>
      status === 429 && (code === "insufficient_quota" || type === "insufficient_quota")
        ? { reason: "Rate limit exceeded", retryable: false }
        : undefined,

    listModels: (connection, signal) => listModels(endpointOf(connection), context.http, signal),
  };
}
