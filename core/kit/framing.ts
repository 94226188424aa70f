import type { HttpResponse } from "../contract/plugin.ts";

/**
 * How an answer is framed: event stream or one JSON text. Services that stream under a wrong or no content type are
 * believed when a stream was asked for; errors and JSON answers never are a stream.
 */
export function framingOf(
  response: Pick<HttpResponse, "status" | "headers">,
  streamAsked: boolean,
): "json" | "sse" {
  if (!streamAsked || response.status < 200 || response.status > 299) return "json";
  const type = response.headers["content-type"];
  return type === undefined || !/json|html/i.test(type) ? "sse" : "json";
}
