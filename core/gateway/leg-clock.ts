import { GatewayError } from "../contract/index.ts";
import { type Dispatched, timeLeftMs } from "./dispatch.ts";
import type { Exchange } from "./exchange.ts";
import type { PlannedLeg } from "./plan.ts";

/** The times of one leg: as a whole, to its first content, and between two pieces of its answer. */
export interface LegClock {
  /** Aborted with `leg_timeout` when one of the times is over, or with the request's own reason. */
  readonly signal: AbortSignal;
  /** Milliseconds the leg may still take as a whole. */
  leftMs(): number;
  /** A call begins, at first or again. */
  called(): void;
  /** Its content has begun. */
  content(): void;
  /** The answer with the pieces of its body watched. */
  watch(dispatched: Dispatched): Dispatched;
  stop(): void;
}

/** Starts the clock of a leg. A leg without times of its own shares the request's signal and costs nothing. */
export function startLegClock(exchange: Exchange, { slot }: PlannedLeg): LegClock {
  const { firstTokenTimeoutMs, idleTimeoutMs, model, timeoutMs } = slot;
  if (timeoutMs === null && !firstTokenTimeoutMs && !idleTimeoutMs) {
    return {
      signal: exchange.signal,
      leftMs: () => timeLeftMs(exchange),
      called() {},
      content() {},
      watch: (dispatched) => dispatched,
      stop() {},
    };
  }
  const { clock } = exchange.services;
  const startedAt = clock.monotonic();
  const controller = new AbortController();
  const forward = () => controller.abort(exchange.signal.reason);
  if (exchange.signal.aborted) forward();
  exchange.signal.addEventListener("abort", forward, { once: true });
  const timer = (ms: number | null | undefined, what: string) =>
    createTimer(ms, () => {
      const message = `Model "${model}" ${what} ${ms} ms`;
      controller.abort(new GatewayError("leg_timeout", message));
    });
  const whole = timer(timeoutMs, "took longer than");
  const first = timer(firstTokenTimeoutMs, "sent no content within");
  const idle = timer(idleTimeoutMs, "sent nothing for");
  whole.start();
  return {
    signal: controller.signal,
    leftMs: () =>
      Math.min(
        timeLeftMs(exchange),
        (timeoutMs ?? Infinity) - (clock.monotonic() - startedAt),
      ),
    called() {
      first.start();
      idle.start();
    },
    content: first.stop,
    watch(dispatched) {
      idle.stop();
      if (!idleTimeoutMs) return dispatched;
      const { response } = dispatched;
      return { ...dispatched, response: { ...response, body: watched(response.body, idle) } };
    },
    stop() {
      for (const each of [whole, first, idle]) each.stop();
      exchange.signal.removeEventListener("abort", forward);
    },
  };
}

interface Timer {
  /** Starts anew. */
  readonly start: () => void;
  readonly stop: () => void;
}

function createTimer(ms: number | null | undefined, expire: () => void): Timer {
  let handle: ReturnType<typeof setTimeout> | undefined;
  const stop = () => clearTimeout(handle);
  return {
    stop,
    start() {
      stop();
      if (ms) handle = setTimeout(expire, ms);
    },
  };
}

/** Passes pieces on. The timer rests while nobody waits for a piece: a slow reader is not the provider's fault. */
function watched(body: AsyncIterable<Uint8Array>, idle: Timer): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const pieces = body[Symbol.asyncIterator]();
      return {
        async next() {
          idle.start();
          const piece = await pieces.next();
          idle.stop();
          return piece;
        },
        return: () => {
          idle.stop();
          return pieces.return?.() ?? Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}
