import { GatewayError, type HttpClient } from "@vmx/core/contract";
import { readBody, type ServiceEndpoint } from "@vmx/core/kit";

/** Bytes of a models list accepted. */
const maxListBytes = 8 * 1024 * 1024;

/**
 * Reads `GET /models`, whose shape all these services share: `{ data: [{ id }] }`.
 * Rejects with `upstream_authentication_error`, `upstream_error`, `upstream_invalid_response`, a ProviderFailure, or the
 * signal's reason.
 */
export async function listModels(
  endpoint: ServiceEndpoint,
  http: HttpClient,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const headers = endpoint.headers({});
  delete headers["content-type"];
  const response = await http.send({
    method: "GET",
    url: endpoint.url("/models"),
    headers,
    signal,
  });
  const text = new TextDecoder().decode(await readBody(response.body, maxListBytes));
  const { status } = response;
  if (status === 401 || status === 403) {
    throw new GatewayError(
      "upstream_authentication_error",
      `Cannot list models: the service refused the credential with ${status}`,
    );
  }
  if (status !== 200) {
    throw new GatewayError("upstream_error", `Cannot list models: the service answered ${status}`);
  }
  return readIds(text);
}

function readIds(text: string): readonly string[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw notAList();
  }
  const data = Array.isArray(list) ? list : (list as { readonly data?: unknown } | null)?.data;
  if (!Array.isArray(data)) throw notAList();
  return data.map((model: { readonly id?: unknown } | null) => {
    if (typeof model?.id !== "string") throw notAList();
    return model.id;
  });
}

function notAList(): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    "Cannot list models: the answer is not a list",
  );
}
