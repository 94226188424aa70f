import type {
  Dialect,
  JsonObject,
  Provider,
  ProviderConnection,
  ProviderResponse,
  Tap,
} from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { readText } from "../kit/index.ts";
import type { ConnectionView } from "../store/snapshot.ts";
import { elapsedMs, type Exchange } from "./exchange.ts";
import type { LegRecord } from "./leg.ts";
import { fromErrorAnswer } from "./leg-failure.ts";
import { mayUseModel } from "./allowed-models.ts";
import { passThroughBody } from "./outbound-body.ts";
import type { PlannedLeg } from "./plan.ts";

const maxErrorBytes = 64 * 1024;

/** An answer with a good status, about to be held. */
export interface Dispatched {
  readonly response: ProviderResponse;
  readonly dialect: Dialect;
  readonly stream: boolean;
  /** Reads along a stream. */
  readonly tap: Tap | undefined;
}

/** A leg ready to call its provider. */
export interface PreparedLeg {
  readonly connection: ConnectionView;
  readonly provider: Provider;
  readonly dialect: Dialect;
  readonly call: (signal: AbortSignal) => Promise<Dispatched>;
}

/**
 * Readies one leg: loads its connection, checks that it may serve, and writes the outbound body.
 *
 * Throws a GatewayError that falls back: `AI_CONNECTION_NOT_FOUND`, `connection_disabled`,
 * `credential_unavailable`, `model_not_allowed`, `operation_not_supported`.
 */
export async function prepare(
  exchange: Exchange,
  leg: PlannedLeg,
  record: LegRecord,
): Promise<PreparedLeg> {
  const { host } = exchange.services;
  const { operation } = exchange.request.endpoint;
  const { slot } = leg;
  const connection = loadConnection(exchange, leg);
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
  const dialect = chooseDialect(exchange, provider, view, slot.model);
  const body = exchange.body!;
  const usage = exchange.dialect.inbound.usageRequest(body.value, operation);
  const target = exchange.target!;
  const adaptation = provider.adapt?.(
    { operation, dialect: dialect.id, model: slot.model, body: body.value },
    view,
  );
  if (adaptation?.warnings) record.warnings.push(...adaptation.warnings);
  const text = passThroughBody(body, {
    model: slot.model,
    defaultArgs: target.kind === "resource"
      ? target.resource.defaultArgs as JsonObject | null
      : null,
    providerArgs: exchange.envelope.providerArgs,
    usage,
    adaptation,
  });
  const request = {
    requestId: exchange.requestId,
    operation,
    dialect: dialect.id,
    model: slot.model,
    stream: body.stream,
    path: dialect.requestPath({ operation, model: slot.model, stream: body.stream }),
    query: exchange.request.query,
    body: text,
    bodyObject: () => JSON.parse(text) as JsonObject,
    headers: {},
  };
  return {
    connection,
    provider,
    dialect,
    async call(signal) {
      const response = await provider.send(request, view, signal);
      const { providerRequestId } = readIds(response);
      if (providerRequestId) record.providerRequestId = providerRequestId;
      record.statusCode = response.status;
      if (response.status < 200 || response.status >= 300) {
        throw await refused(exchange, response, dialect, provider, connection);
      }
      return {
        response,
        dialect,
        stream: body.stream,
        tap: body.stream
          ? exchange.dialect.inbound.tap({ keepUsage: usage.callerAsked })
          : undefined,
      };
    },
  };
}

/** Milliseconds the request may still take. */
export function timeLeftMs(exchange: Exchange): number {
  return exchange.envelope.timeoutMs! - elapsedMs(exchange);
}

function loadConnection(exchange: Exchange, { slot }: PlannedLeg): ConnectionView {
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

function chooseDialect(
  exchange: Exchange,
  provider: Provider,
  connection: ProviderConnection,
  model: string,
): Dialect {
  const callerDialect = exchange.dialect.id;
  const { operation } = exchange.request.endpoint;
  const native = provider.dialects({ model, operation, callerDialect }, connection);
  if (native.includes(callerDialect)) return exchange.dialect;
  throw new GatewayError(
    "operation_not_supported",
    `AI connection "${connection.name}" does not speak ${callerDialect}`,
  );
}

async function refused(
  exchange: Exchange,
  response: ProviderResponse,
  dialect: Dialect,
  provider: Provider,
  connection: ConnectionView,
): Promise<Error> {
  const text = await readText(response.body, maxErrorBytes).catch(() => "");
  const body = exchange.services.redact(text, connection.config);
  const wire = dialect.decodeError(response.status, body);
  return fromErrorAnswer(
    response,
    body,
    wire,
    dialect.id,
    provider,
    `AI connection "${connection.name}"`,
  );
}

function readIds({ headers }: ProviderResponse): { providerRequestId: string | undefined } {
  return { providerRequestId: headers["x-request-id"] ?? headers["request-id"] };
}
