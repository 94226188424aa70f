import type { Middleware } from "koa";

const yearSeconds = 31_536_000;

/**
 * Headers of every answer beside the data plane's. Pages bring a Content-Security-Policy of their own; whatever else
 * is opened in a browser may neither run, load nor be framed.
 *
 * @param publicUrl with an https URL, browsers are told to stay with https
 */
export function createSecurityHeaders(publicUrl: string | undefined): Middleware {
  const headers: Record<string, string> = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
  };
  if (publicUrl?.startsWith("https:")) {
    headers["strict-transport-security"] = `max-age=${yearSeconds}; includeSubDomains`;
  }
  return (context, next) => {
    context.set(headers);
    return next();
  };
}
