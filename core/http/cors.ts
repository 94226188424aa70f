import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Lets pages of the listed origins call the gateway. Answers true when it has answered the request itself, which was a
 * browser's question whether it may send another one.
 */
export type Cors = (request: IncomingMessage, response: ServerResponse) => boolean;

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
const preflightSeconds = 600;

/**
 * Creates the allow-list of origins. An origin matches as a whole or not at all. Cookies never cross origins: only
 * callers with a credential of their own come from elsewhere.
 *
 * @param origins such as `https://console.example.com`; without any, nothing is ever allowed or added
 */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  if (allowed.size === 0) return () => false;
  return (request, response) => {
    // Caches must know that the answer depends on who asks, also where the answer is no.
    response.setHeader("vary", "Origin");
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) return false;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", "*");
    const asks = request.headers["access-control-request-method"] !== undefined;
    if (request.method !== "OPTIONS" || !asks) return false;
    response.setHeader("access-control-allow-methods", methods);
    const wanted = request.headers["access-control-request-headers"];
    if (wanted !== undefined && /^[\w\-, ]{1,1024}$/.test(wanted)) {
      response.setHeader("access-control-allow-headers", wanted);
    }
    response.setHeader("access-control-max-age", String(preflightSeconds));
    response.writeHead(204).end();
    return true;
  };
}
