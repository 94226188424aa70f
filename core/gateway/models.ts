import { GatewayError, type ModelListing } from "../contract/index.ts";
import { answerError } from "./answer-error.ts";
import {
  createExchange,
  type GatewayServices,
  type IncomingRequest,
  type Reply,
} from "./exchange.ts";
import { identify } from "./identify.ts";
import { callableResources, resourceNotFound } from "./resolve.ts";
import type { ResourceView } from "../store/snapshot.ts";

/**
 * Answers the models list, or one element of it when `name` is given: the resources the caller may call.
 * Not audited and not counted.
 */
export async function serveModels(
  request: IncomingRequest,
  name: string | undefined,
  reply: Reply,
  services: GatewayServices,
): Promise<void> {
  const { host } = services;
  const id = request.endpoint.dialect;
  const dialect = host.active("dialects", id) ?? await host.get("dialects", id);
  const { inbound } = dialect;
  if (!inbound?.encodeModels || !inbound.encodeModel) {
    throw new GatewayError("operation_not_supported", `${id} has no models list`);
  }
  const exchange = createExchange(request, { ...dialect, inbound }, services);
  try {
    const caller = await identify(request, exchange.snapshot, services);
    const listings = callableResources(caller).map(toListing);
    if (name === undefined) {
      send(inbound.encodeModels(listings, readQuery(request.query)), exchange, reply);
      return;
    }
    const wanted = listings.find((listing) => listing.id.toLowerCase() === name.toLowerCase());
    if (!wanted) throw resourceNotFound(caller, name);
    send(inbound.encodeModel(wanted), exchange, reply);
  } catch (error) {
    const known = error instanceof GatewayError
      ? error
      : new GatewayError("unknown_error", "Something went wrong", { cause: error });
    answerError(exchange, known, reply);
  }
}

function toListing(resource: ResourceView): ModelListing {
  return {
    id: resource.name,
    created: Math.floor(resource.createdAt.getTime() / 1000),
    description: resource.description,
    provider: resource.model.provider,
    model: resource.model.model,
  };
}

function readQuery(query: string) {
  const parameters = new URLSearchParams(query);
  const limit = Number(parameters.get("limit") ?? Number.NaN);
  const afterId = parameters.get("after_id");
  const beforeId = parameters.get("before_id");
  return {
    ...(Number.isInteger(limit) && limit > 0 ? { limit } : {}),
    ...(afterId === null ? {} : { afterId }),
    ...(beforeId === null ? {} : { beforeId }),
  };
}

function send(
  body: object,
  exchange: { readonly requestId: string; readonly snapshot: { readonly revision: number } },
  reply: Reply,
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  reply.head(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": String(bytes.length),
    "cache-control": "no-cache",
    "x-vmx-request-id": exchange.requestId,
    "x-request-id": exchange.requestId,
    "x-vmx-revision": String(exchange.snapshot.revision),
  });
  reply.end(bytes);
}
