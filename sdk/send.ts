import { ConnectionError, readRetryAfterMs } from "./errors.ts";

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What sending needs of its surroundings. */
export interface SendParts {
  readonly fetch: Fetch;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly now: () => number;
}

/** How one request is sent. */
export interface SendOptions {
  /** Attempts after the first. */
  readonly maxRetries: number;
  /** Longest wait for an answer, per attempt; 0 waits for ever. */
  readonly timeoutMs: number;
  /** Longest `Retry-After` that is waited for; a longer one is the caller's business. */
  readonly maxWaitMs: number;
  /** Whether the request may reach the gateway twice without harm. */
  readonly repeatable: boolean;
  /** Whether the body is read slowly, so that only the head is under the time limit. */
  readonly streamed: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A request as it goes out. */
export interface Outgoing {
  readonly url: string;
  readonly init: RequestInit;
}

/**
 * Sends a request, again when that may help: after 429, 502, 503 and 504, while the first request of an
 * idempotency key is still running, and after a broken connection when repeating does no harm. Waits half a second
 * at first and twice as long each time, less a random part, unless `Retry-After` says how long.
 *
 * Throws a ConnectionError when there is no answer, and the signal's reason when the caller gave up.
 */
export async function send(
  parts: SendParts,
  { url, init }: Outgoing,
  options: SendOptions,
): Promise<Response> {
  const { signal, maxRetries, maxWaitMs, repeatable } = options;
  for (let attempt = 0;; attempt++) {
    const last = attempt >= maxRetries;
    let waitMs = backoffMs(attempt, parts.random);
    try {
      const response = await attemptOnce(parts.fetch, url, init, options);
      if (last || !await mayPass(response)) return response;
      waitMs = readRetryAfterMs(response.headers, parts.now()) ?? waitMs;
      if (waitMs > maxWaitMs) return response;
      await response.body?.cancel();
    } catch (error) {
      signal?.throwIfAborted();
      if (last || !repeatable) throw connectionError(url, error);
    }
    await parts.sleep(waitMs, signal);
  }
}

async function attemptOnce(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  { signal, timeoutMs, streamed }: SendOptions,
): Promise<Response> {
  const limit = new AbortController();
  const timer = timeoutMs > 0
    ? setTimeout(
      () => limit.abort(new DOMException("No answer in time", "TimeoutError")),
      timeoutMs,
    )
    : undefined;
  try {
    const both = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
    const response = await fetch(url, { ...init, signal: both });
    if (streamed || response.body === null) return response;
    // Read here, so that a body that stalls counts as no answer.
    const body = await response.arrayBuffer();
    return new Response(hasNoBody(response.status) ? null : body, response);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the same request may be answered otherwise a moment later. */
async function mayPass(response: Response): Promise<boolean> {
  if ([429, 502, 503, 504].includes(response.status)) return true;
  if (response.status !== 409) return false;
  const text = await response.clone().text();
  return text.includes('"IDEMPOTENCY_IN_PROGRESS"');
}

function backoffMs(attempt: number, random: () => number): number {
  return Math.min(500 * 2 ** attempt, 8_000) * (1 - random() / 2);
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function connectionError(url: string, cause: unknown): ConnectionError {
  const { origin } = new URL(url);
  if (cause instanceof Error && cause.name === "TimeoutError") {
    return new ConnectionError(`Cannot reach ${origin}: no answer in time`, {
      code: "TIMEOUT",
      cause,
    });
  }
  const deep = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = deep instanceof Error ? deep.message : String(deep);
  return new ConnectionError(`Cannot reach ${origin}: ${reason}`, {
    code: "CONNECTION_FAILED",
    cause,
  });
}

/** Waits. Rejects with the signal's reason when the caller gives up. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
