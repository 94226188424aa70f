import { timingSafeEqual } from "node:crypto";
import { GatewayError } from "../contract/errors.ts";
import { hashSecret } from "./token-format.ts";

/** What the check looks at. */
export interface CsrfRequest {
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Origin the browser is known to have reached, such as `https://vmx.example`. */
  readonly origin: string;
}

/**
 * A call with a session cookie that changes something needs the session's token in `x-vmx-csrf` and must come
 * from the gateway's own pages.
 *
 * Throws `CSRF_TOKEN_INVALID`.
 */
export function checkCsrf(request: CsrfRequest, csrfToken: string): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const sent = request.headers["x-vmx-csrf"];
  if (sent === undefined || !equalSecrets(sent, csrfToken)) {
    throw new GatewayError(
      "CSRF_TOKEN_INVALID",
      "Cannot change anything with a session cookie: header x-vmx-csrf lacks the session's token",
    );
  }
  const origin = request.headers["origin"];
  const sameOrigin = origin === undefined
    ? request.headers["sec-fetch-site"] === "same-origin"
    : origin === request.origin;
  if (!sameOrigin) {
    throw new GatewayError(
      "CSRF_TOKEN_INVALID",
      "Cannot change anything with a session cookie: the request comes from another origin",
    );
  }
}

/** Compares two secrets in a time that tells nothing about them. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(one)), Buffer.from(hashSecret(other)));
}
