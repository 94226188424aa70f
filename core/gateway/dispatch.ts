import type {
  Dialect,
  DiscoveredLimits,
  Provider,
  ProviderConnection,
  ProviderRequest,
  ProviderResponse,
} from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { readText } from "../kit/index.ts";
import type { ConnectionView, SlotView } from "../store/snapshot.ts";
import { mayUseModel } from "./allowed-models.ts";
import type { LegCodec } from "./codec.ts";
import { elapsedMs, type Exchange } from "./exchange.ts";
import type { LegRecord } from "./leg.ts";
import { fromErrorAnswer, parseErrorBody } from "./leg-failure.ts";
import { createPassThrough } from "./pass-through.ts";
import { checkHome } from "./provider-state.ts";
import type { PlannedLeg } from "./plan.ts";
import { createTranslation } from "./translate.ts";

const maxErrorBytes = 64 * 1024;

/** An answer with a good status, about to be held. */
export interface Dispatched {
  readonly response: ProviderResponse;
  readonly codec: LegCodec;
  readonly stream: boolean;
}

/** Calls the leg's provider; may be called again for a retry. */
export type CallLeg = (signal: AbortSignal) => Promise<Dispatched>;

/**
 * Readies one leg: finds its provider and dialect, and writes the outbound body.
 *
 * Throws a GatewayError that falls back: `operation_not_supported`, `translation_loss` and what else a dialect cannot
 * express.
 */
export async function prepare(
  exchange: Exchange,
  { slot }: PlannedLeg,
  record: LegRecord,
  connection: ConnectionView = loadConnection(exchange, slot),
): Promise<CallLeg> {
  const { host } = exchange.services;
  const { operation } = exchange.request.endpoint;
  const { model } = slot;
  const view: ProviderConnection = {
    connectionId: connection.connectionId,
    name: connection.name,
    workspaceId: connection.workspaceId,
    environmentId: connection.environmentId,
    config: connection.config!,
  };
  const provider = host.active("providers", connection.provider) ??
    await host.get("providers", connection.provider);
  if (!provider.operations.includes(operation)) {
    throw new GatewayError(
      "operation_not_supported",
      `Provider "${connection.provider}" does not offer ${operation}`,
    );
  }
  checkHome(exchange, connection.connectionId, connection.name);
  const family = provider.family ?? connection.provider;
  const codec = await createCodec(exchange, provider, view, model, family);
  record.warnings.push(...codec.warnings);
  record.native = codec.dialect === exchange.dialect;
  if (exchange.capture) exchange.capture.providerBody = codec.text;
  const { stream } = exchange.body!;
  const { dialect } = codec;
  const request: ProviderRequest = {
    requestId: exchange.requestId,
    operation,
    dialect: dialect.id,
    model,
    stream,
    path: dialect.requestPath({ operation, model, stream }),
    query: codec.query,
    body: codec.text,
    bodyObject: codec.bodyObject,
    headers: { ...codec.headers, ...exchange.services.legHeaders?.(exchange, record) },
  };
  return async (signal) => {
    record.called = true;
    record.statusCode = undefined;
    const response = await provider.send(request, view, signal);
    record.statusCode = response.status;
    const id = response.headers["x-request-id"] ?? response.headers["request-id"];
    if (id !== undefined) {
      record.providerRequestId = exchange.services.redact(id, connection.config);
    }
    if (response.status < 200 || response.status >= 300) {
      throw await refused(exchange, response, dialect, provider, connection, model);
    }
    noteLimits(exchange, connection, model, () => provider.limits?.(response.headers));
    return { response, codec, stream };
  };
}

/** Milliseconds the request may still take. */
export function timeLeftMs(exchange: Exchange): number {
  return exchange.envelope.timeoutMs! - elapsedMs(exchange);
}

/**
 * The connection of a leg, as it is now.
 *
 * Throws a GatewayError that falls back when it cannot serve: `AI_CONNECTION_NOT_FOUND`, `connection_disabled`,
 * `credential_unavailable`, `model_not_allowed`.
 */
export function loadConnection(exchange: Exchange, slot: SlotView): ConnectionView {
  const connection = exchange.caller!.environment.connections.get(slot.connectionId);
  if (!connection) {
    throw new GatewayError("AI_CONNECTION_NOT_FOUND", "The leg's AI connection does not exist");
  }
  if (!connection.enabled) {
    throw new GatewayError(
      "connection_disabled",
      `AI connection "${connection.name}" is disabled`,
    );
  }
  if (!connection.config) {
    throw new GatewayError(
      "credential_unavailable",
      `The credential of AI connection "${connection.name}" cannot be opened`,
    );
  }
  if (!mayUseModel(connection.allowedModels, slot.model)) {
    throw new GatewayError(
      "model_not_allowed",
      `AI connection "${connection.name}" does not allow model "${slot.model}"`,
    );
  }
  return connection;
}

/** The caller's own dialect where the service speaks it, else the service's first that is installed. */
async function createCodec(
  exchange: Exchange,
  provider: Provider,
  connection: ProviderConnection,
  model: string,
  family: string,
): Promise<LegCodec> {
  const { host } = exchange.services;
  const callerDialect = exchange.dialect.id;
  const { operation } = exchange.request.endpoint;
  const native = provider.dialects({ model, operation, callerDialect }, connection);
  if (native.includes(callerDialect)) {
    return createPassThrough(exchange, provider, connection, model, family);
  }
  const id = native.find((candidate) => host.find("dialects", candidate));
  if (id === undefined) {
    throw new GatewayError(
      "operation_not_supported",
      `AI connection "${connection.name}" speaks none of the installed dialects`,
    );
  }
  const dialect = host.active("dialects", id) ?? await host.get("dialects", id);
  return await createTranslation(exchange, dialect, provider, connection, model, family);
}

/** Keeps what an answer told of the service's limits. */
function noteLimits(
  { services }: Exchange,
  { connectionId }: ConnectionView,
  model: string,
  read: () => DiscoveredLimits | undefined,
): void {
  services.capacity.discovered.note(connectionId, model, read);
}

async function refused(
  exchange: Exchange,
  response: ProviderResponse,
  dialect: Dialect,
  provider: Provider,
  connection: ConnectionView,
  model: string,
): Promise<Error> {
  const text = await readText(response.body, maxErrorBytes).catch(() => "");
  const body = exchange.services.redact(text, connection.config);
  const wire = dialect.decodeError(response.status, body);
  noteLimits(
    exchange,
    connection,
    model,
    () => provider.limits?.(response.headers, parseErrorBody(body)),
  );
  return fromErrorAnswer(
    response,
    body,
    wire,
    dialect.id,
    provider,
    `AI connection "${connection.name}"`,
  );
}
