import type { AnswerFacts, Tap, TapResult } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { isObject, readBody } from "../kit/index.ts";
import type { Dispatched } from "./dispatch.ts";
import type { Exchange } from "./exchange.ts";
import type { LegRecord } from "./leg.ts";
import { LegFailure, toLegFailure } from "./leg-failure.ts";
import { redactError } from "./redact.ts";

const maxHeldBytes = 1024 * 1024;

/** An answer that may be sent: whole and checked, or a stream whose content has begun. */
export type HeldAnswer =
  | { readonly kind: "plain"; readonly text: string; readonly facts: AnswerFacts }
  | {
    readonly kind: "stream";
    readonly held: readonly Uint8Array[];
    readonly endMarker: Uint8Array | undefined;
    readonly tap: Tap;
    /** The rest of the stream; undefined when its end has been seen. */
    readonly rest: StreamRest | undefined;
    readonly oversize: boolean;
  };

/** The chunks still to come, the next of which may be on its way already. */
export interface StreamRest {
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly pending: Promise<IteratorResult<Uint8Array>> | undefined;
}

/**
 * Holds an answer back until it is certain that the leg serves: a plain answer until it is whole and of the right
 * shape, a stream until its first content, its normal end, the end of the hold time, or 1 MiB.
 *
 * Throws a LegFailure (`upstream_invalid_response` and the transport's failures).
 */
export async function hold(
  exchange: Exchange,
  dispatched: Dispatched,
  record: LegRecord,
  calledAt: number,
): Promise<HeldAnswer> {
  const { framing } = dispatched.response;
  if (!dispatched.stream) {
    if (framing !== "json") throw invalid("it is a stream, but a plain answer was asked for");
    const answer = await holdPlain(exchange, dispatched, record);
    record.timeToFirstTokenMs = exchange.services.clock.monotonic() - calledAt;
    return answer;
  }
  if (framing === "json") throw invalid("it is a plain answer, but a stream was asked for");
  return await holdStream(exchange, dispatched, record, calledAt);
}

async function holdPlain(
  exchange: Exchange,
  dispatched: Dispatched,
  record: LegRecord,
): Promise<HeldAnswer> {
  const { services } = exchange;
  const bytes = await readBody(dispatched.response.body, services.limits.maxAnswerBytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(text.trim() === "" ? "it is empty" : "it is not JSON", error);
  }
  if (!isObject(value)) throw invalid("it is not a JSON object");
  const answer = dispatched.codec.plain(value, text);
  record.warnings.push(...answer.warnings);
  return { kind: "plain", text: answer.text, facts: answer.facts };
}

async function holdStream(
  exchange: Exchange,
  dispatched: Dispatched,
  record: LegRecord,
  calledAt: number,
): Promise<HeldAnswer> {
  const tap = dispatched.codec.tap();
  const chunks = dispatched.response.body[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let endMarker: Uint8Array | undefined;
  const timer = startTimer(exchange.services.limits.firstContentHoldMs);

  const commit = (rest: StreamRest | undefined, oversize: boolean): HeldAnswer => ({
    kind: "stream",
    held,
    endMarker,
    tap,
    rest,
    oversize,
  });
  const take = (result: TapResult): void => {
    if (result.error) {
      const wire = redactError(result.error, exchange.services.redact);
      throw new LegFailure(wire.message, {
        reason: "Stream failed before content",
        status: wire.status ?? 502,
        code: wire.code || wire.type || "upstream_error",
        wire,
      });
    }
    if (result.forward.length > 0) held.push(result.forward);
    heldBytes += result.forward.length;
    endMarker = result.endMarker ?? endMarker;
  };

  let started = false;
  try {
    for (;;) {
      const pending = chunks.next();
      const next = started ? await timer.race(pending) : await pending;
      if (next === undefined) return commit({ chunks, pending }, false);
      if (next.done) {
        take(tap.end());
        if (!tap.facts().complete) throw invalid("the stream ended without a finish");
        return commit(undefined, false);
      }
      const result = tap.push(next.value);
      take(result);
      started ||= result.started;
      if (result.content) {
        record.timeToFirstTokenMs = exchange.services.clock.monotonic() - calledAt;
        return commit({ chunks, pending: undefined }, result.oversize === true);
      }
      if (heldBytes > maxHeldBytes || (started && timer.fired())) {
        return commit({ chunks, pending: undefined }, result.oversize === true);
      }
    }
  } catch (error) {
    await chunks.return?.();
    throw brokeOff(error);
  } finally {
    timer.stop();
  }
}

function brokeOff(error: unknown): unknown {
  const failure = toLegFailure(error);
  if (failure.reason !== "Connection failed") return failure;
  return new LegFailure(failure.message, {
    reason: "Stream failed before content",
    status: failure.status,
    code: failure.code,
    retryable: failure.retryable,
    cause: error,
  });
}

function invalid(reason: string, cause?: unknown): LegFailure {
  const gatewayError = new GatewayError(
    "upstream_invalid_response",
    `The provider's answer is not valid: ${reason}`,
    { cause },
  );
  return toLegFailure(gatewayError);
}

/** A timer that costs nothing until it is raced against. */
function startTimer(ms: number) {
  const startedAt = performance.now();
  let handle: ReturnType<typeof setTimeout> | undefined;
  return {
    fired: () => performance.now() - startedAt >= ms,
    /** Answers the promise's value, or undefined when the time is over first. */
    async race<Value>(promise: Promise<Value>): Promise<Value | undefined> {
      const left = ms - (performance.now() - startedAt);
      if (left <= 0) return undefined;
      return await new Promise<Value | undefined>((resolve, reject) => {
        handle = setTimeout(() => resolve(undefined), left);
        promise.then(resolve, reject).finally(() => clearTimeout(handle));
      });
    },
    stop: () => clearTimeout(handle),
  };
}
