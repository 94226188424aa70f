import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "../contract/index.ts";
import { toOutgoing } from "../gateway/answer-error.ts";
import type { GatewayServices, IncomingRequest } from "../gateway/exchange.ts";
import { serveModels } from "../gateway/models.ts";
import { serve } from "../gateway/pipeline.ts";
import { createRequestId } from "../gateway/request-id.ts";
import { createDataPaths, type Found, patternOf, type Route, shortBase } from "./data-paths.ts";
import { createReply } from "./reply.ts";
import { readRequestBody } from "./request-body.ts";
import type { SourceAddress } from "./source-address.ts";

/** Answers requests to the data plane's paths; false means the path is not one of them. */
export type DataPlane = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Builds the data plane from what the dialects' manifests announce; no dialect is loaded for it.
 *
 * @param draining true while new requests must be refused
 */
export function createDataPlane(
  services: GatewayServices,
  sourceAddress: SourceAddress,
  draining: () => boolean,
): DataPlane {
  const paths = createDataPaths(services.host);

  return (message, response) => {
    const url = message.url ?? "/";
    const mark = url.indexOf("?");
    const pathname = mark < 0 ? url : url.slice(0, mark);
    const method = message.method ?? "GET";
    const found = paths.find(pathname);
    if (!found) {
      const route = paths.withoutBase(method, pathname);
      if (!route) return false;
      const error = unknownPath(method, pathname, shortBase + pathname);
      message.resume();
      refuse(services, route.dialect, error, response);
      return true;
    }
    if (found.probe && (method === "GET" || method === "HEAD")) {
      response.writeHead(200, { "content-length": "0" }).end();
      return true;
    }
    const route = found.routes.find((candidate) => candidate.method === method);
    if (!route || draining()) {
      const error = draining()
        ? shuttingDown()
        : found.routes.length > 0
        ? new GatewayError("METHOD_NOT_ALLOWED", `${pathname} does not take ${method}`)
        : unknownPath(method, pathname, paths.meant(found, pathname));
      message.resume();
      refuse(services, route?.dialect ?? paths.dialectOf(found), error, response, found.routes);
      return true;
    }
    const request = toRequest(
      message,
      route,
      found,
      mark < 0 ? "" : url.slice(mark + 1),
      sourceAddress,
    );
    const reply = createReply(response);
    const answered: Promise<unknown> = route.operation === "models"
      ? serveModels(request, found.name, reply, services)
      : serve(request, reply, services);
    answered.catch((error: unknown) => {
      services.log.error("Cannot answer a request", { error });
      refuse(
        services,
        undefined,
        new GatewayError("unknown_error", "Something went wrong"),
        response,
      );
    });
    return true;
  };
}

function toRequest(
  message: IncomingMessage,
  route: Route,
  found: Found,
  query: string,
  sourceAddress: SourceAddress,
): IncomingRequest {
  // Only set-cookie is a list in Node's headers, and requests have none.
  const headers = message.headers as Record<string, string | undefined>;
  return {
    endpoint: route,
    path: found.path,
    route: patternOf(found),
    query,
    headers,
    duplicateCredential: hasDuplicateCredential(message.rawHeaders),
    sourceIp: sourceAddress(message.socket.remoteAddress, headers["x-forwarded-for"]),
    peer: message.socket.remoteAddress,
    readBody: (maxBytes) => readRequestBody(message, maxBytes),
  };
}

function hasDuplicateCredential(rawHeaders: readonly string[]): boolean {
  let authorization = 0;
  let apiKey = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 13 && name.toLowerCase() === "authorization") authorization++;
    else if (name.length === 9 && name.toLowerCase() === "x-api-key") apiKey++;
  }
  return authorization > 1 || apiKey > 1;
}

function unknownPath(method: string, pathname: string, meant: string | undefined): GatewayError {
  return new GatewayError(
    "ROUTE_NOT_FOUND",
    `No such path: ${method} ${pathname.slice(0, 200)}` +
      (meant === undefined ? "" : `; did you mean ${meant}?`),
  );
}

/** What new requests are refused with while the gateway leaves. */
export function shuttingDown(): GatewayError {
  return new GatewayError("shutting_down", "The gateway is shutting down", {
    retryAfterSeconds: 1,
    shouldRetry: true,
  });
}

/** Answers an error no exchange was opened for. */
async function refuse(
  services: GatewayServices,
  dialectId: string | undefined,
  error: GatewayError,
  response: ServerResponse,
  routes: readonly Route[] = [],
): Promise<void> {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const requestId = createRequestId();
  const outgoing = toOutgoing({ requestId, services }, error);
  const dialect = dialectId === undefined
    ? undefined
    : await services.host.get("dialects", dialectId).catch(() => undefined);
  const body = dialect?.inbound?.encodeError(outgoing) ??
    { error: { code: error.code, message: error.message } };
  response.writeHead(error.status, {
    "content-type": "application/json; charset=utf-8",
    "x-vmx-request-id": requestId,
    "x-request-id": requestId,
    ...(error.code === "METHOD_NOT_ALLOWED"
      ? { allow: routes.map(({ method }) => method).join(", ") }
      : {}),
    ...(error.retryAfterSeconds === undefined
      ? {}
      : { "retry-after": String(error.retryAfterSeconds), connection: "close" }),
  });
  response.end(JSON.stringify(body));
}
