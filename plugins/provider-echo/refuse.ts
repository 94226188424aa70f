import type { Dialect, ErrorKind, OutgoingError } from "@vmx/core/contract";
import type { Directives } from "./directives.ts";

/** An error answer: status, headers, body text. */
export interface RefusedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  401: "authentication",
  402: "permission",
  403: "permission",
  404: "not-found",
  408: "timeout",
  409: "conflict",
  413: "too-large",
  429: "rate-limit",
  503: "overloaded",
  504: "timeout",
  529: "overloaded",
};

/** Writes an error in the dialect's own form. */
export function refuse(
  dialect: Dialect,
  error: Pick<OutgoingError, "status" | "code" | "message" | "requestId">,
  headers: Readonly<Record<string, string>> = {},
): RefusedAnswer {
  const kind = kinds[error.status] ?? (error.status < 500 ? "invalid-request" : "internal");
  const body = dialect.inbound?.encodeError({ ...error, kind }) ?? { error: error.message };
  return { status: error.status, headers, text: JSON.stringify(body) };
}

/** The failure a `-status-` directive asks for; 429 tells limits and when to come back. */
export function refuseAsAsked(
  dialect: Dialect,
  status: number,
  { limits }: Directives,
  requestId: string,
): RefusedAnswer {
  const limited = status === 429;
  const error = {
    status,
    code: limited ? "rate_limit_exceeded" : status >= 500 ? "server_error" : "request_refused",
    message: `The model was asked to fail with status ${status}`,
    requestId,
  };
  const { requests, tokens } = limits ?? { requests: 60, tokens: 100_000 };
  const headers = limited
    ? { ...limitHeaders(requests, tokens, 0, 0), "retry-after": "7" }
    : limits
    ? limitHeaders(requests, tokens, Math.max(0, requests - 1), tokens)
    : {};
  return refuse(dialect, error, headers);
}

/** Rate-limit headers as most services send them. */
export function limitHeaders(
  requests: number,
  tokens: number,
  remainingRequests: number,
  remainingTokens: number,
): Record<string, string> {
  return {
    "x-ratelimit-limit-requests": String(requests),
    "x-ratelimit-limit-tokens": String(tokens),
    "x-ratelimit-remaining-requests": String(remainingRequests),
    "x-ratelimit-remaining-tokens": String(remainingTokens),
    "x-ratelimit-reset-requests": "7s",
    "x-ratelimit-reset-tokens": "7s",
  };
}
