import type { Part } from "../contract/index.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { Exchange, Outcome, Reply } from "./exchange.ts";
import type { PlannedLeg } from "./plan.ts";

/**
 * Whether the first leg's own service can count the tokens of the request as it stands; the gateway estimates for
 * all others.
 */
export async function countsNatively(exchange: Exchange, leg: PlannedLeg): Promise<boolean> {
  const { host } = exchange.services;
  const { environment } = exchange.caller!;
  const connection = environment.connections.get(leg.slot.connectionId);
  if (!connection?.config) return true; // The leg itself tells what is wrong.
  const provider = await host.get("providers", connection.provider);
  if (!provider.operations.includes("count-tokens")) return false;
  const { connectionId, name, workspaceId, environmentId, config } = connection;
  const choice = {
    model: leg.slot.model,
    operation: "count-tokens",
    callerDialect: exchange.dialect.id,
  } as const;
  const view = { connectionId, name, workspaceId, environmentId, config };
  return provider.dialects(choice, view).includes(exchange.dialect.id);
}

/** Answers the gateway's own estimate, marked as such. */
export function answerEstimate(
  exchange: Exchange,
  reply: Reply,
): Pick<Outcome, "status" | "statusCode"> {
  const { dialect, body } = exchange;
  const { inputTokens } = dialect.inbound.inspect(body!.value, "count-tokens");
  const usage: Part = {
    type: "usage",
    tokens: {
      inputUncached: inputTokens,
      inputCacheRead: null,
      inputCacheWrite5m: null,
      inputCacheWrite1h: null,
      output: null,
      reasoning: null,
      audioInput: null,
      audioOutput: null,
      promptTotal: inputTokens,
    },
  };
  const { value } = dialect.encodeResponse([usage], {
    operation: "count-tokens",
    requestId: exchange.requestId,
    stream: false,
    now: Math.floor(exchange.arrivedAt / 1000),
    model: body!.model,
    includeUsage: true,
  });
  const text = JSON.stringify(value);
  if (exchange.capture) exchange.capture.answer = text;
  reply.head(200, {
    ...answerHeaders(exchange, undefined),
    "x-vmx-estimated": "true",
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(text)),
  });
  reply.end(text);
  return { status: "ok", statusCode: 200 };
}
