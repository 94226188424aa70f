import type { IncomingMessage, ServerResponse } from "node:http";
import type { Operation } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { toOutgoing } from "../gateway/answer-error.ts";
import type { Endpoint, GatewayServices, IncomingRequest } from "../gateway/exchange.ts";
import { serveModels } from "../gateway/models.ts";
import { serve } from "../gateway/pipeline.ts";
import { createRequestId } from "../gateway/request-id.ts";
import { createReply } from "./reply.ts";
import { readRequestBody } from "./request-body.ts";
import type { SourceAddress } from "./source-address.ts";

/** Answers requests to the data plane's paths; false means the path is not one of them. */
export type DataPlane = (request: IncomingMessage, response: ServerResponse) => boolean;

const shortBase = "/v1";
const longBase = "/v1/completion/";

interface Route extends Endpoint {
  readonly method: string;
}

/** Paths of one base: exact ones by path, and the one kind of path that ends in a name. */
interface RouteIndex {
  readonly exact: Map<string, Route[]>;
  readonly named: { readonly prefix: string; readonly route: Route }[];
  readonly probes: Set<string>;
}

interface Found {
  readonly routes: readonly Route[];
  readonly name?: string;
  readonly path: IncomingRequest["path"];
  readonly probe: boolean;
  /** The path below its base. */
  readonly below: string;
}

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
  const short = emptyIndex();
  const long = emptyIndex();
  for (const { id, entry } of services.host.contributions("dialects")) {
    addRoutes(id, entry["inbound"] as Inbound | undefined, short, long);
  }
  const fallbackDialect = [...short.exact.values(), ...long.exact.values()][0]?.[0]?.dialect;

  return (message, response) => {
    const url = message.url ?? "/";
    const mark = url.indexOf("?");
    const pathname = mark < 0 ? url : url.slice(0, mark);
    if (pathname !== shortBase && !pathname.startsWith(`${shortBase}/`)) return false;
    const found = find(pathname, short, long);
    const method = message.method ?? "GET";
    if (found.probe && (method === "GET" || method === "HEAD")) {
      response.writeHead(200, { "content-length": "0" }).end();
      return true;
    }
    const route = found.routes.find((candidate) => candidate.method === method);
    if (!route || draining()) {
      const dialect = route?.dialect ?? nearest(found, short, long) ?? fallbackDialect;
      const error = draining() ? shuttingDown() : unknownPath(method, pathname, found.routes);
      message.resume();
      refuse(services, dialect, error, response, found.routes);
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

/** The part of a dialect's manifest entry that names its paths. */
interface Inbound {
  readonly routes: readonly {
    readonly method: string;
    readonly operation: Operation;
    readonly endpoint?: string;
    readonly long: readonly string[];
    readonly short: readonly string[];
  }[];
  readonly probes?: { readonly long?: readonly string[]; readonly short?: readonly string[] };
}

function emptyIndex(): RouteIndex {
  return { exact: new Map(), named: [], probes: new Set() };
}

function addRoutes(
  dialect: string,
  inbound: Inbound | undefined,
  short: RouteIndex,
  long: RouteIndex,
): void {
  for (const { method, operation, endpoint, ...paths } of inbound?.routes ?? []) {
    const route: Route = { method, operation, dialect, name: endpoint ?? operation };
    for (const path of paths.short) add(short, path, route);
    for (const path of paths.long) add(long, path, route);
  }
  for (const probe of inbound?.probes?.short ?? []) short.probes.add(probe);
  for (const probe of inbound?.probes?.long ?? []) long.probes.add(probe);
}

function add(index: RouteIndex, path: string, route: Route): void {
  const name = path.indexOf("{name}");
  if (name >= 0) index.named.push({ prefix: path.slice(0, name), route });
  else index.exact.set(path, [...index.exact.get(path) ?? [], route]);
}

function find(pathname: string, short: RouteIndex, long: RouteIndex): Found {
  if (!pathname.startsWith(longBase)) {
    return findBelow(pathname.slice(shortBase.length), short, undefined);
  }
  const [workspaceId = "", environmentId = "", ...rest] = pathname.slice(longBase.length).split(
    "/",
  );
  const below = rest.length === 0 ? "" : `/${rest.join("/")}`;
  return findBelow(below, long, {
    workspaceId: workspaceId.toLowerCase(),
    environmentId: environmentId.toLowerCase(),
  });
}

function findBelow(below: string, index: RouteIndex, path: IncomingRequest["path"]): Found {
  const routes = index.exact.get(below);
  const probe = index.probes.has(below);
  if (routes || probe) return { routes: routes ?? [], path, probe, below };
  for (const { prefix, route } of index.named) {
    if (below.startsWith(prefix) && below.length > prefix.length) {
      return { routes: [route], name: decode(below.slice(prefix.length)), path, probe, below };
    }
  }
  return { routes: [], path, probe, below };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The dialect whose paths begin like this one: an unknown path answers in its words. */
function nearest(found: Found, short: RouteIndex, long: RouteIndex): string | undefined {
  if (found.routes[0]) return found.routes[0].dialect;
  const first = found.below.split("/")[1];
  const index = found.path ? long : short;
  for (const [path, routes] of index.exact) {
    if (first !== undefined && path.split("/")[1] === first) return routes[0]?.dialect;
  }
  return undefined;
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

function patternOf({ path, below, name }: Found): string {
  const base = path ? `${longBase}{workspaceId}/{environmentId}` : shortBase;
  return name === undefined ? base + below : `${base}/{name}`;
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

function unknownPath(method: string, pathname: string, routes: readonly Route[]): GatewayError {
  return routes.length > 0
    ? new GatewayError("METHOD_NOT_ALLOWED", `${pathname} does not take ${method}`)
    : new GatewayError("ROUTE_NOT_FOUND", `No such path: ${method} ${pathname.slice(0, 200)}`);
}

function shuttingDown(): GatewayError {
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
