import type { IncomingMessage } from "node:http";
import { GatewayError } from "../contract/errors.ts";

/** Headers of one request at most; more are the mark of an attack or of a loop between proxies. */
const mostHeaders = 100;

/** Headers of which two would leave open which one counts. */
const singles = new Set([
  "host",
  "origin",
  "content-type",
  "content-encoding",
  "content-length",
  "transfer-encoding",
  "idempotency-key",
  "x-vmx-csrf",
]);

/**
 * What is wrong with the head of a request that the parser let pass, or undefined: no version of HTTP, too many
 * headers, or one twice that must be there once. Credentials that come twice are the business of authentication.
 */
export function headFault(
  { rawHeaders, httpVersionMajor }: Pick<IncomingMessage, "rawHeaders" | "httpVersionMajor">,
): GatewayError | undefined {
  // The parser takes a request line that a bare line feed cuts short for one of HTTP/0.9.
  if (httpVersionMajor < 1) return fault("", "its first line names no version of HTTP");
  if (rawHeaders.length > 2 * mostHeaders) {
    return fault("headers", `it has more than ${mostHeaders} headers`);
  }
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!singles.has(name)) continue;
    if (seen.has(name)) return fault(`headers/${name}`, `it has the header ${name} twice`);
    seen.add(name);
  }
  return undefined;
}

function fault(path: string, reason: string): GatewayError {
  return new GatewayError("VALIDATION_FAILED", `Cannot accept the request: ${reason}`, {
    faults: [{ path, code: "header", message: reason }],
  });
}
