import {
  type Amount,
  type AnswerFacts,
  GatewayError,
  type PoolGate,
  type Refusal,
  type Tokens,
} from "../contract/index.ts";
import { type Lease, legMeters, type LegSubject, refusalError } from "../capacity/index.ts";
import type { ExpectedTokens } from "../capacity/estimates.ts";
import { poolGateOf } from "../prioritization/index.ts";
import type { ConnectionView } from "../store/snapshot.ts";
import type { Exchange } from "./exchange.ts";
import { gateRecord, skippedGate } from "./gate-record.ts";
import type { LegRecord } from "./leg.ts";
import { ephemeralId } from "./overrides.ts";
import { mergedRequest } from "./merged-request.ts";

/** A leg's place within its limits, to be ended exactly once. */
export interface Admitted {
  /** The leg has ended with an answer, whole or in part: charges what it took. */
  settle(facts: AnsweredTokens, whole: boolean): void;
  /** The leg has failed without usage: gives everything back. */
  release(): void;
  /** The caller left before an answer came: the provider has had the input if it was called. */
  abandon(called: boolean): void;
}

/** What an answer told of its tokens. */
export type AnsweredTokens = Pick<AnswerFacts, "tokens" | "estimatedOutputTokens"> | undefined;

/** Milliseconds a reservation outlives the leg's deadline. */
const graceMs = 60_000;
/** No request takes more; larger figures are mistakes and must not spoil a counter. */
const mostTokens = 1e9;

/**
 * Reserves a leg's estimated use in every meter that limits it, or in none: one store call, and none when nothing
 * limits.
 *
 * Throws `resource_exhausted`, `prioritization_gate_denied` or `capacity_store_unavailable`.
 *
 * @param leftMs milliseconds to the leg's deadline
 */
export async function admit(
  exchange: Exchange,
  record: LegRecord,
  connection: ConnectionView,
  leftMs: number,
): Promise<Admitted> {
  const subject = subjectOf(exchange, connection);
  const meters = exchange.request.endpoint.operation === "count-tokens" ? [] : legMeters(subject);
  if (meters.length === 0) {
    record.gate = skippedGate;
    return createAdmitted(exchange, record, subject, undefined, undefined);
  }
  const { admission } = exchange.services.capacity;
  const { clock } = exchange.services;
  const { environment } = exchange.caller!;
  const startedAt = clock.monotonic();
  const amount = expectedAmount(exchange, record);
  const pool = poolGateOf(environment, connection, subject.resource?.resourceId);
  if (pool) exchange.services.allocation.touch(pool.connectionId);
  const reply = await admission.reserve({
    environmentId: environment.environmentId,
    amount,
    meters,
    pool,
    ttlMs: Math.max(0, Math.ceil(leftMs)) + graceMs,
  });
  record.gate = gateRecord(reply, meters, amount, clock.monotonic() - startedAt);
  if (reply.result === "unavailable") {
    throw new GatewayError(
      "capacity_store_unavailable",
      "Limits cannot be checked: the capacity store does not answer",
      { retryAfterSeconds: 1, shouldRetry: true },
    );
  }
  if (reply.degraded) record.warnings.push(degraded);
  if (reply.result === "refused") throw refusal(exchange, reply.refused, subject, pool, amount);
  return createAdmitted(exchange, record, subject, reply.lease, amount);
}

const degraded = {
  code: "capacity_degraded",
  path: "",
  action: "approximated",
  detail: "The capacity store did not answer; limits were kept without it",
} as const;

/** Whose limits a leg on this connection must respect. */
export function subjectOf(exchange: Exchange, connection: ConnectionView): LegSubject {
  const { caller, target, request, envelope } = exchange;
  const resource = target?.kind === "resource" && target.resource.resourceId !== ephemeralId
    ? target.resource
    : undefined;
  return {
    connection,
    resource,
    apiKey: caller!.kind === "api-key" ? caller!.apiKey : undefined,
    sourceIp: request.sourceIp,
    metadata: envelope.metadata,
  };
}

/** What a leg is expected to use. */
export function expectedAmount(
  exchange: Exchange,
  leg: Pick<LegRecord, "connectionId" | "model">,
): Amount {
  const { input, output } = expectedTokens(exchange, leg);
  return { requests: 1, tokens: whole(input) + whole(output) };
}

/** Tokens a leg is expected to use. */
export function expectedTokens(
  exchange: Exchange,
  leg: Pick<LegRecord, "connectionId" | "model">,
): ExpectedTokens {
  const { settings } = exchange.caller!.environment;
  const { target } = exchange;
  const { facts } = mergedRequest(exchange);
  return exchange.services.capacity.estimates.expect({
    connectionId: leg.connectionId,
    resourceId: target?.kind === "resource" ? target.resource.resourceId : ephemeralId,
    model: leg.model,
    inputTokens: facts.inputTokens,
    maxOutputTokens: facts.maxOutputTokens,
    writes: exchange.request.endpoint.operation === "chat",
    reservation: settings.reservation,
    outputTokensBeforeLearning: settings.outputTokensBeforeLearning,
  });
}

function createAdmitted(
  exchange: Exchange,
  record: LegRecord,
  subject: LegSubject,
  lease: Lease | undefined,
  reserved: Amount | undefined,
): Admitted {
  let open = true;
  const charge = (tokens: number): void => {
    const settled = { requests: 1, tokens };
    lease!.settle(settled);
    record.gate = { ...record.gate!, settled };
  };
  /** The raw estimate; made only for legs that were limited, so never for its own sake. */
  const estimatedInput = () => reserved ? mergedRequest(exchange).facts.inputTokens : undefined;
  return {
    settle(facts, isWhole) {
      if (!open) return;
      open = false;
      const real = realTokens(facts?.tokens);
      const delivered = facts?.estimatedOutputTokens ?? 0;
      if (isWhole) {
        exchange.services.capacity.estimates.learn({
          connectionId: record.connectionId,
          resourceId: subject.resource?.resourceId ?? ephemeralId,
          model: record.model,
          estimatedInputTokens: estimatedInput(),
          inputTokens: real.input,
          outputTokens: real.output,
        });
      }
      if (!lease) return;
      // A stream that broke off has told of its input at most; what it delivered is known better here.
      const output = isWhole ? real.output ?? delivered : Math.max(real.output ?? 0, delivered);
      charge(whole(real.input ?? estimatedInput()!) + whole(output));
    },
    release() {
      if (!open) return;
      open = false;
      if (!lease) return;
      lease.release();
      record.gate = { ...record.gate!, settled: { requests: 0, tokens: 0 } };
    },
    abandon(called) {
      if (!called) return this.release();
      if (!open) return;
      open = false;
      if (lease) charge(whole(estimatedInput()!));
    },
  };
}

/** Totals as the provider reported them; undefined for what it did not. */
function realTokens(tokens: Tokens | undefined) {
  const input = tokens?.promptTotal ?? sum([
    tokens?.inputUncached,
    tokens?.inputCacheRead,
    tokens?.inputCacheWrite5m,
    tokens?.inputCacheWrite1h,
  ]);
  const output = tokens?.completionTotal ?? sum([tokens?.output, tokens?.reasoning]);
  return { input, output };
}

function sum(parts: readonly (number | null | undefined)[]): number | undefined {
  const known = parts.filter((part) => typeof part === "number");
  return known.length === 0 ? undefined : known.reduce((total, part) => total + part, 0);
}

/** A count a meter can take: no provider and no request may bring it out of order. */
function whole(tokens: number): number {
  return tokens > 0 ? Math.min(mostTokens, Math.ceil(tokens)) : 0;
}

function refusal(
  exchange: Exchange,
  refused: readonly Refusal[],
  { resource, apiKey, connection }: LegSubject,
  pool: PoolGate | undefined,
  amount: Amount,
): GatewayError {
  const { caller, services } = exchange;
  const isPerson = caller!.kind === "user";
  return refusalError(refused, {
    amount,
    now: services.clock.now(),
    nameOf: (level) =>
      level === "resource"
        ? resource?.name
        : level === "api-key"
        ? apiKey?.name
        : level === "connection" && isPerson
        ? connection?.name
        : undefined,
    showPools: isPerson,
    poolLimit: pool?.limit,
    cooldownSeconds: caller!.environment.settings.prioritization.cooldownSeconds,
  });
}
