import type { JsonObject, RequestFacts } from "../contract/index.ts";
import { defaultArguments } from "./codec.ts";
import type { Exchange } from "./exchange.ts";
import { mergedBody } from "./merged-body.ts";

/** The caller's request with all arguments merged, as rules, estimates and the dry run see it. */
export interface MergedRequest {
  readonly body: JsonObject;
  /** What the caller's dialect reads from the body. */
  readonly facts: RequestFacts;
}

const read = new WeakMap<Exchange, MergedRequest>();

/** Merges the request of an exchange whose target is known; once per request. */
export function mergedRequest(exchange: Exchange): MergedRequest {
  const known = read.get(exchange);
  if (known) return known;
  const { dialect, envelope, request } = exchange;
  const body = mergedBody(exchange.body!.value, defaultArguments(exchange), envelope);
  const merged = { body, facts: dialect.inbound.inspect(body, request.endpoint.operation) };
  read.set(exchange, merged);
  return merged;
}
