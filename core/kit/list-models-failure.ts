import { GatewayError } from "../contract/errors.ts";
import { ProviderFailure } from "../contract/provider.ts";

const deepestCause = 6;

/**
 * What a vendor's client threw while it listed models, in the gateway's words. Clients' messages may quote the key,
 * so none of them is passed on.
 *
 * @param timeoutMs milliseconds the client was given, for the message
 */
export function listModelsFailure(error: unknown, timeoutMs: number): Error {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < deepestCause; depth++) {
    if (cause instanceof GatewayError || cause instanceof ProviderFailure) return cause;
    cause = cause.cause;
  }
  const { status } = error as { readonly status?: unknown };
  if (status === 401 || status === 403) {
    return new GatewayError(
      "upstream_authentication_error",
      `Cannot list models: the service refused the credential with ${status}`,
    );
  }
  if (typeof status === "number") {
    return new GatewayError("upstream_error", `Cannot list models: the service answered ${status}`);
  }
  if (error instanceof Error && /timed? ?out/i.test(error.name + error.message)) {
    return new ProviderFailure("timeout", `Cannot list models: no answer within ${timeoutMs} ms`);
  }
  return notAModelList();
}

/** The failure of an answer that is no list of models. */
export function notAModelList(): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    "Cannot list models: the answer is not a list",
  );
}
