import type { RequestFacts } from "../contract/index.ts";
import { defaultArguments } from "./codec.ts";
import type { Exchange } from "./exchange.ts";
import { mergedBody } from "./merged-body.ts";

const read = new WeakMap<Exchange, RequestFacts>();

/** What the caller's dialect tells of the request with all arguments merged, read once per request. */
export function requestFacts(exchange: Exchange): RequestFacts {
  const known = read.get(exchange);
  if (known) return known;
  const { dialect, request, body, envelope } = exchange;
  const merged = mergedBody(body!.value, defaultArguments(exchange), envelope);
  const facts = dialect.inbound.inspect(merged, request.endpoint.operation);
  read.set(exchange, facts);
  return facts;
}
