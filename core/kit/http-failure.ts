import { GatewayError } from "../contract/errors.ts";
import { ProviderFailure } from "../contract/provider.ts";

/** What a call was doing when it failed. */
export type HttpPhase = "connecting" | "waiting" | "reading";

/** Codes of answers that are not valid HTTP, as opposed to answers that broke off. */
const invalidAnswerCodes = new Set(["UND_ERR_HEADERS_OVERFLOW", "UND_ERR_RES_EXCEEDED_MAX_SIZE"]);

const connectReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "its name is unknown",
  EAI_AGAIN: "its name could not be resolved",
  EHOSTUNREACH: "the host is unreachable",
  ENETUNREACH: "the network is unreachable",
  ECONNRESET: "the connection was reset",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate chain is self-signed",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate cannot be verified",
};

/**
 * Puts an error of the HTTP library into plain words: a ProviderFailure when no answer came or it broke off,
 * `upstream_invalid_response` when what came is not HTTP. Errors of our own pass unchanged.
 * Messages name neither host nor header values; the cause keeps them for the log.
 */
export function toFailure(error: unknown, phase: HttpPhase): Error {
  if (error instanceof GatewayError || error instanceof ProviderFailure) return error;
  const code = codeOf(error);
  if (code === "UND_ERR_INVALID_ARG") {
    const reason = (error as Error).message;
    return new ProviderFailure("refused", `Cannot call the service: ${reason}`, error);
  }
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") {
    return new ProviderFailure(
      "timeout",
      "Cannot reach the service: connecting took too long",
      error,
    );
  }
  if (phase === "connecting") {
    const reason = connectReasons[code] ??
      (/CERT|TLS|SSL/.test(code) ? "TLS failed" : "no connection");
    return new ProviderFailure("connect", `Cannot reach the service: ${reason}`, error);
  }
  const invalid = invalidAnswerCodes.has(code) ||
    ((error as Error).name === "HTTPParserError" && !/EOF/.test(code));
  if (invalid) {
    const reason = code === "UND_ERR_HEADERS_OVERFLOW"
      ? "its headers are too large"
      : "it is not HTTP";
    return invalidAnswer(reason, error);
  }
  const when = phase === "waiting" ? "before it answered" : "in mid-answer";
  return new ProviderFailure("reset", `The service closed the connection ${when}`, error);
}

/** An answer that must not be used. */
export function invalidAnswer(reason: string, cause?: unknown): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    `Cannot read the service's answer: ${reason}`,
    { cause },
  );
}

/** A time limit that passed. */
export function timedOut(phase: HttpPhase, limitMs: number): ProviderFailure {
  return new ProviderFailure(
    "timeout",
    phase === "connecting"
      ? `Cannot reach the service: no connection within ${limitMs} ms`
      : `The service sent nothing for ${limitMs} ms`,
  );
}

function codeOf(error: unknown): string {
  const failure = error as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (typeof failure?.code === "string") return failure.code;
  // Every address of a name failed: the first tells as much as any.
  return failure?.errors?.length ? codeOf(failure.errors[0]) : "";
}
