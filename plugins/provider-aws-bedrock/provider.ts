import type {
  PluginContext,
  Provider,
  ProviderConnection,
  ProviderRequest,
  ProviderResponse,
} from "@vmx/core/contract";
import { createServiceEndpoint, framingOf, type ServiceEndpoint } from "@vmx/core/kit";
import { classifyError } from "./classify.ts";
import { configurationOf, connectionMembers, serviceUrl } from "./configuration.ts";
import { createCredentialSource, type CredentialSettings } from "./credentials.ts";
import { createEventStreamFramer } from "./event-stream-framer.ts";
import { listModels } from "./list-models.ts";
import { traitsOf } from "./model-traits.ts";
import { signRequest } from "./sign-request.ts";

/** Headers of the caller that go along, unsigned because proxies may rewrite them. */
const traceHeaders = ["traceparent", "tracestate"] as const;

/** Refusals after which a fetched credential is not tried again. */
const credentialStatuses = new Set([401, 403]);

/**
 * The provider `aws-bedrock`: Converse, ConverseStream and embeddings through InvokeModel over the gateway's own HTTP
 * client, signed by the SDK's signer.
 */
export function createBedrockProvider(
  context: Pick<PluginContext, "http" | "clock">,
  settings: CredentialSettings,
): Provider {
  const source = createCredentialSource(context, settings);
  const endpoints = new WeakMap<ProviderConnection["config"], ServiceEndpoint>();

  function endpointOf(connection: ProviderConnection): ServiceEndpoint {
    const known = endpoints.get(connection.config);
    if (known !== undefined) return known;
    const { region, baseUrl, headers } = configurationOf(connection);
    const endpoint = createServiceEndpoint({
      baseUrl: baseUrl ?? serviceUrl("bedrock-runtime", region),
      headers,
    });
    endpoints.set(connection.config, endpoint);
    return endpoint;
  }

  async function signed(
    request: ProviderRequest,
    connection: ProviderConnection,
    signal: AbortSignal,
  ): Promise<{ url: string; headers: Record<string, string> }> {
    const endpoint = endpointOf(connection);
    const url = endpoint.url(request.path, request.query);
    const credentials = await source.of(connection, signal);
    const headers = await signRequest({
      method: "POST",
      url: new URL(url),
      headers: endpoint.headers({}),
      body: request.body,
    }, {
      credentials,
      region: configurationOf(connection).region,
      nowMs: context.clock.now(),
    });
    for (const name of traceHeaders) {
      const value = request.headers[name];
      if (value !== undefined) headers[name] = value;
    }
    return { url, headers };
  }

  return {
    operations: ["chat", "embeddings", "models"],

    dialects: () => ["bedrock-converse"],

    profile: (model, _dialect, connection) => ({
      ...traitsOf(model),
      members: connectionMembers(configurationOf(connection)),
    }),

    adapt({ operation, body }, connection) {
      if (operation !== "chat") return undefined;
      const members = Object.entries(connectionMembers(configurationOf(connection)));
      const missing = members.filter(([name]) => body[name] === undefined);
      return missing.length === 0 ? undefined : { set: Object.fromEntries(missing) };
    },

    async send(request, connection, signal): Promise<ProviderResponse> {
      if (signal.aborted) throw signal.reason;
      const { url, headers } = await signed(request, connection, signal);
      const response = await context.http.send({
        method: "POST",
        url,
        headers,
        body: request.body,
        signal,
      });
      if (credentialStatuses.has(response.status)) source.forget(connection);
      const { status, headers: answered, body } = response;
      const binary = status === 200 &&
        answered["content-type"]?.startsWith("application/vnd.amazon.eventstream") === true;
      const framing = binary ? "aws-eventstream" : framingOf(response, request.stream);
      const id = answered["x-amzn-requestid"];
      return {
        status,
        // Known to the gateway under its common name.
        headers: id === undefined ? answered : { "x-request-id": id, ...answered },
        body,
        framing,
      };
    },

    framer: createEventStreamFramer,

    classify: (answer) => classifyError(answer, context.clock.now()),

    async listModels(connection, signal) {
      const credentials = await source.of(connection, signal);
      return await listModels(connection, credentials, context.http, signal);
    },
  };
}
