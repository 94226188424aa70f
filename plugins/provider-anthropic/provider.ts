import type {
  PluginContext,
  Provider,
  ProviderConnection,
  ProviderRequest,
  ProviderResponse,
} from "@vmx/core/contract";
import { createServiceEndpoint, framingOf, type ServiceEndpoint } from "@vmx/core/kit";
import { versionOf } from "./api-version.ts";
import { joinBetas, takeBetas } from "./betas.ts";
import { classifyError } from "./classify.ts";
import { apiBaseUrl, configurationOf } from "./configuration.ts";
import { listModels } from "./list-models.ts";
import { adaptBody, profileOf } from "./profile.ts";
import { readLimits, withCommonNames } from "./rate-limits.ts";

/** The provider `anthropic`: Messages and token counts over the gateway's own HTTP client. */
export function createAnthropicProvider(
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
    operations: ["chat", "count-tokens", "models"],

    dialects: () => ["anthropic-messages"],

    profile: profileOf,

    adapt: adaptBody,

    async send(request, connection, signal): Promise<ProviderResponse> {
      const endpoint = endpointOf(connection);
      const { body, betas } = takeBetas(request);
      const response = await context.http.send({
        method: "POST",
        url: endpoint.url(request.path, request.query),
        headers: headersOf(endpoint, request, betas),
        body,
        signal,
      });
      const { status, headers, body: answer } = response;
      return {
        status,
        headers: withCommonNames(headers, context.clock.now()),
        body: answer,
        framing: framingOf(response, request.stream),
      };
    },

    limits: (headers) => readLimits(headers, context.clock.now()),

    classify: (answer) => classifyError(answer, context.clock.now()),

    listModels: (connection, signal) => listModels(configurationOf(connection), context, signal),
  };
}

/** The version is the connection's, else the caller's, else the one the body is written for; betas add up. */
function headersOf(
  endpoint: ServiceEndpoint,
  request: ProviderRequest,
  betas: readonly string[],
): Record<string, string> {
  // The service takes a key here too, and a caller's must not stand beside the connection's.
  const { "x-api-key": _, ...caller } = request.headers;
  const headers = endpoint.headers(caller);
  headers["anthropic-version"] ??= versionOf(request.bodyObject());
  const beta = joinBetas(headers["anthropic-beta"], caller["anthropic-beta"], ...betas);
  if (beta !== undefined) headers["anthropic-beta"] = beta;
  return headers;
}
