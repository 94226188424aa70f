import type { Classification, ErrorAnswer } from "@vmx/core/contract";
import { readRetryAfterMs } from "@vmx/core/kit";

/** Refusals of the credential, some of which come with another status than 401 or 403. */
const credentialFaults = new Set([
  "AccessDeniedException",
  "ExpiredTokenException",
  "ExpiredToken",
  "InvalidSignatureException",
  "IncompleteSignatureException",
  "InvalidClientTokenId",
  "MissingAuthenticationTokenException",
  "UnrecognizedClientException",
]);

/** The name of an exception, such as `ThrottlingException`; the header adds where it is documented. */
export function exceptionName({ headers, type, code }: ErrorAnswer): string | undefined {
  const name = headers["x-amzn-errortype"] ?? type ?? code ?? undefined;
  return name?.replace(/^[^:]*#/, "").replace(/:.*$/s, "");
}

/** Refines the default by the exception's name. */
export function classifyError(
  answer: ErrorAnswer,
  nowMs: number,
): Partial<Classification> | undefined {
  const wait = readRetryAfterMs(answer.headers, nowMs);
  const hint = wait === undefined ? {} : { retryAfterMs: wait };
  const name = exceptionName(answer) ?? "";
  if (credentialFaults.has(name)) {
    return { reason: "Provider rejected the credential", retryable: false };
  }
  switch (name) {
    case "ThrottlingException":
    case "TooManyRequestsException":
    case "ModelNotReadyException":
      return { reason: "Rate limit exceeded", retryable: true, ...hint };
    case "ServiceQuotaExceededException":
    case "insufficient_quota":
      return { reason: "Rate limit exceeded", retryable: false };
    case "ModelErrorException":
    case "ModelStreamErrorException":
    case "ModelTimeoutException":
      return { reason: "Provider error", retryable: true, ...hint };
    default:
      return wait === undefined ? undefined : hint;
  }
}
