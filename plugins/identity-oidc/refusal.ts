import { GatewayError } from "@vmx/core/contract";
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from "openid-client";

/**
 * Turns a failure of the library or the network into `OIDC_RESPONSE_ERROR`. The provider's free texts are left out:
 * they can hold anything, and reach the browser.
 */
export function refusal(what: string, error: unknown): GatewayError {
  if (error instanceof GatewayError && error.code === "OIDC_RESPONSE_ERROR") return error;
  return new GatewayError("OIDC_RESPONSE_ERROR", `Cannot ${what}: ${reasonOf(error)}`, {
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof GatewayError) return error.message;
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return `the identity provider answered ${codeText(error.error)}`;
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    return `the identity provider answered with status ${error.status}`;
  }
  if (error instanceof ClientError) return `${error.message} (${error.code})`;
  const inner = errorChain(error).find(({ name, code }) => code !== "" || name === "TimeoutError");
  if (inner?.name === "TimeoutError") return "the identity provider does not answer in time";
  if (inner) return `the identity provider cannot be reached (${inner.code})`;
  if (error instanceof TypeError) return "the identity provider cannot be reached";
  return "the identity provider's answer is not valid";
}

/** Error codes of OAuth are short words; whatever else comes in their place is not repeated. */
function codeText(code: string): string {
  return /^[a-z_]{1,64}$/.test(code) ? `"${code}"` : "with an error";
}

function errorChain(error: unknown): { name: string; code: string }[] {
  const chain: { name: string; code: string }[] = [];
  for (let each = error; each instanceof Error && chain.length < 8; each = each.cause) {
    const code = (each as { code?: unknown }).code;
    chain.push({ name: each.name, code: typeof code === "string" ? code : "" });
  }
  return chain;
}
