import type { RouteTestGate, RouteTestLeg, RouteTestResult } from "@vmx/schemas";
import { GatewayError, type JsonObject, type Warning } from "../contract/index.ts";
import { skippedTrace } from "../routing/index.ts";
import type { SlotView } from "../store/snapshot.ts";
import { expectedTokens } from "./admit.ts";
import { prepare } from "./dispatch.ts";
import { createExchange, type Endpoint, type Exchange, type GatewayServices } from "./exchange.ts";
import type { MediaKind } from "./fetch-media.ts";
import { type Caller, refuseUnusable } from "./identify.ts";
import { createLeg, type LegRecord } from "./leg.ts";
import { type LegFailure, toLegFailure } from "./leg-failure.ts";
import { mergedRequest } from "./merged-request.ts";
import { plan, type PlannedLeg } from "./plan.ts";
import { readProviderState } from "./provider-state.ts";
import { read } from "./read.ts";
import { resolve } from "./resolve.ts";
import { route } from "./route.ts";
import type { RoutingAssumptions } from "./router.ts";

/** A request whose way is to be told. */
export interface DryRunRequest {
  /** Who asks; the environment holds the resource as it is to be tried out. */
  readonly caller: Caller;
  readonly endpoint: Endpoint;
  readonly body: JsonObject;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sourceIp: string;
  /** Unix milliseconds that rules read; the present when absent. */
  readonly now?: number | undefined;
  readonly assumptions: RoutingAssumptions;
}

/** What the limits would say to a leg. */
export type GatesOf = (
  exchange: Exchange,
  leg: PlannedLeg,
) => Promise<readonly RouteTestGate[]>;

/**
 * Takes a request through the stages of `serve` up to the point where a provider would be called, and tells what
 * each decided. Nothing is called, consumed or written down; the assumptions stand in for chance and life alone.
 *
 * Rejects with `PLUGIN_NOT_FOUND` or `operation_not_supported` for a dialect callers cannot speak. What the caller
 * would be refused for is part of the answer.
 */
export async function dryRun(
  request: DryRunRequest,
  services: GatewayServices,
  gatesOf: GatesOf = () => Promise.resolve([]),
): Promise<RouteTestResult> {
  const exchange = await open(request, services);
  const result: RouteTestResult = {
    trace: skippedTrace("the request was refused before", exchange.snapshot.revision),
    chain: [],
    mergedBody: {},
    estimate: { inputTokens: 0, expectedOutputTokens: 0 },
    errors: [],
  };
  try {
    const { caller } = request;
    if (caller.kind === "api-key") refuseUnusable(caller.apiKey, services.clock.now());
    exchange.body = await read(exchange);
    exchange.target = await resolve(
      caller,
      exchange.body.model,
      exchange.envelope,
      services.host,
    );
    const { target } = exchange;
    result.mergedBody = mergedRequest(exchange).body;
    result.estimate = estimateOf(
      exchange,
      target.kind === "resource" ? target.resource.model : target.slot,
    );
    const legs = await planLegs(exchange, result);
    if (legs[0]) result.estimate = estimateOf(exchange, legs[0].slot);
    for (const [position, leg] of legs.entries()) {
      result.chain.push({
        position,
        ...await describeLeg(exchange, position, leg),
        gates: [...await gatesOf(exchange, leg)],
      });
    }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, message, param } = error;
    result.errors.push({
      code,
      message: services.redact(message),
      ...(param === undefined ? {} : { param }),
    });
  }
  return result;
}

async function open(request: DryRunRequest, services: GatewayServices): Promise<Exchange> {
  const { assumptions, body, caller, endpoint, headers, now, sourceIp } = request;
  const dialect = await services.host.get("dialects", endpoint.dialect);
  if (!dialect.inbound?.inspect || !dialect.operations.includes(endpoint.operation)) {
    throw new GatewayError(
      "operation_not_supported",
      `Callers cannot ask for ${endpoint.operation} in dialect "${endpoint.dialect}"`,
    );
  }
  const { router } = services;
  const pretended: GatewayServices = {
    ...services,
    router: {
      decide: (question) =>
        router.decide(now === undefined ? question : { ...question, now }, assumptions),
    },
    fetchMedia: Object.assign(
      (url: string, _signal: AbortSignal, kind: MediaKind) =>
        Promise.resolve().then(() => services.fetchMedia.foresee(url, kind)),
      { foresee: services.fetchMedia.foresee },
    ),
    onStarted() {},
    onFinished: () => undefined,
  };
  const incoming = {
    endpoint,
    path: undefined,
    query: "",
    headers,
    duplicateCredential: false,
    sourceIp,
    readBody: () => Promise.resolve(Buffer.from(JSON.stringify(body))),
  };
  const exchange = createExchange(incoming, dialect as Exchange["dialect"], pretended);
  exchange.caller = caller;
  return exchange;
}

/** @param slot the first that would be tried */
function estimateOf(exchange: Exchange, slot: SlotView): RouteTestResult["estimate"] {
  const { inputTokens } = mergedRequest(exchange).facts;
  return { inputTokens, expectedOutputTokens: expectedTokens(exchange, slot).output };
}

/** The legs of the request, none when a rule blocks it. */
async function planLegs(exchange: Exchange, result: RouteTestResult): Promise<PlannedLeg[]> {
  const { revision } = exchange.snapshot;
  try {
    const decision = await route(exchange);
    result.trace = decision?.trace ?? skippedTrace("the resource has no rules", revision);
    const legs = plan(exchange.target!, exchange.envelope, decision);
    const connections = legs.map(({ slot }) => slot.connectionId);
    exchange.providerState = await readProviderState(exchange, connections);
    return legs;
  } catch (error) {
    const selected = exchange.routing?.selected;
    if (!(error instanceof GatewayError) || selected?.action !== "BLOCK") throw error;
    result.trace = exchange.routing!;
    result.blocked = { routeId: selected.routeId, message: error.message };
    return [];
  }
}

async function describeLeg(
  exchange: Exchange,
  position: number,
  leg: PlannedLeg,
): Promise<Omit<RouteTestLeg, "position" | "gates">> {
  const { kind, slot } = leg;
  const { connectionId, maxRetries, model, timeoutMs } = slot;
  const connection = exchange.caller!.environment.connections.get(connectionId);
  const record = createLeg(position, leg, connection, exchange.startedAt);
  const refusal = await refusalOf(exchange, leg, record);
  return {
    kind,
    connectionId,
    connectionName: connection?.name ?? null,
    provider: record.provider,
    model,
    allowed: refusal === undefined,
    ...(refusal ? { refusal: told(refusal) } : {}),
    circuit: exchange.services.circuits.peek(connectionId, model),
    warnings: [...record.warnings, ...lossesOf(refusal)],
    maxRetries,
    timeoutMs,
  };
}

function told({ code, message, reason }: LegFailure): RouteTestLeg["refusal"] {
  return { reason, code, message };
}

/** Readies the leg as it would be readied for a call. What ends the whole request is thrown on. */
async function refusalOf(
  exchange: Exchange,
  leg: PlannedLeg,
  record: LegRecord,
): Promise<LegFailure | undefined> {
  try {
    await prepare(exchange, leg, record);
    return undefined;
  } catch (error) {
    return toLegFailure(error);
  }
}

/** A leg that is refused for what translation would lose names all of it. */
function lossesOf(refusal: LegFailure | undefined): Warning[] {
  const { code, details } = refusal?.gatewayError ?? {};
  return (code === "translation_loss" ? details?.["warnings"] ?? [] : []) as unknown as Warning[];
}
