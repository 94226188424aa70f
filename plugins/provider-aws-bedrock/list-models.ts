import {
  GatewayError,
  type HttpClient,
  type ProviderConnection,
  ProviderFailure,
} from "@vmx/core/contract";
import type { AwsCredentialIdentity } from "@smithy/types";
import { configurationOf, serviceUrl } from "./configuration.ts";

/**
 * Lists the ids of the region's foundation models through the vendor's SDK, which is imported here because it takes a
 * quarter of a second. Rejects with `upstream_authentication_error`, `upstream_error`, a ProviderFailure, or the
 * signal's reason.
 */
export async function listModels(
  connection: ProviderConnection,
  credentials: AwsCredentialIdentity,
  http: HttpClient,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { BedrockClient, ListFoundationModelsCommand } = await import("@aws-sdk/client-bedrock");
  const { createSdkTransport } = await import("./sdk-transport.ts");
  const { region, baseUrl } = configurationOf(connection);
  const client = new BedrockClient({
    region,
    credentials,
    // All that the SDK would look up in the process's environment or in files is settled here.
    endpoint: baseUrl ?? serviceUrl("bedrock", region),
    authSchemePreference: ["aws.auth#sigv4"],
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    defaultsMode: "standard",
    retryMode: "standard",
    maxAttempts: 1,
    requestHandler: createSdkTransport(http, signal),
  });
  try {
    const { modelSummaries } = await client.send(new ListFoundationModelsCommand({}));
    if (!Array.isArray(modelSummaries)) throw notAList();
    return modelSummaries.map(({ modelId }) => {
      if (typeof modelId !== "string") throw notAList();
      return modelId;
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toGatewayError(error);
  } finally {
    client.destroy();
  }
}

/** The SDK's messages may name accounts and keys, so none of them is passed on. */
function toGatewayError(error: unknown): Error {
  if (error instanceof GatewayError || error instanceof ProviderFailure) return error;
  const status = (error as { readonly $metadata?: { readonly httpStatusCode?: number } })
    .$metadata?.httpStatusCode;
  if (status === 401 || status === 403) {
    return new GatewayError(
      "upstream_authentication_error",
      `Cannot list models: the service refused the credential with ${status}`,
    );
  }
  if (status !== undefined && status !== 200) {
    return new GatewayError("upstream_error", `Cannot list models: the service answered ${status}`);
  }
  return notAList();
}

function notAList(): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    "Cannot list models: the answer is not a list",
  );
}
