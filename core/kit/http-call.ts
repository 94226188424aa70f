import type { Dispatcher } from "undici";
import type { Clock, HttpResponse } from "../contract/plugin.ts";
import { type HttpPhase, timedOut, toFailure } from "./http-failure.ts";
import { inflateBody } from "./http-inflate.ts";

/** Bytes that may wait for the reader before the socket is paused. */
const highWaterBytes = 128 * 1024;

/** Bound of inflated answers. */
const maxInflatedBytes = 64 * 1024 * 1024;

const finished: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** What one call is made of. */
export interface HttpCallOptions {
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * One HTTP call from dispatch to the last byte: undici's handler and the body's iterator in one object, because
 * every request makes one. The body yields all bytes that wait at once; a slow reader pauses the socket.
 */
export class HttpCall
  implements Dispatcher.DispatchHandler, AsyncIterator<Uint8Array>, AsyncIterable<Uint8Array> {
  readonly #options: HttpCallOptions;
  #phase: HttpPhase | "over" = "connecting";
  #controller: Dispatcher.DispatchController | undefined;
  #failure: unknown;
  #failed = false;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #paused = false;
  #wake: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastByteAtMs: number;

  constructor(options: HttpCallOptions) {
    this.#options = options;
    this.#lastByteAtMs = options.clock.monotonic();
    options.signal.addEventListener("abort", this);
  }

  /** Starts the time limits. Called after dispatch, when most calls already have their connection. */
  watch(): void {
    if (this.#phase !== "over" && this.#timer === undefined) this.#arm(this.#limitMs());
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.#waitingBytes = 0;
    this.#chunks.length = 0;
    this.#fail(this.#options.signal.reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#phase === "over") {
      // Given up while it waited for a connection.
      controller.abort(new Error("given up"));
      return;
    }
    this.#controller = controller;
    this.#phase = "waiting";
    this.#lastByteAtMs = this.#options.clock.monotonic();
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#arm(this.#options.idleTimeoutMs);
    }
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#lastByteAtMs = this.#options.clock.monotonic();
    if (status < 200 || this.#phase === "over") return;
    this.#phase = "reading";
    for (const name in headers) {
      const value = headers[name];
      if (typeof value === "object") headers[name] = value.join(", ");
    }
    const flat = headers as Record<string, string | undefined>;
    const encoding = flat["content-encoding"];
    if (encoding === undefined || encoding === "identity" || encoding === "") {
      this.#options.resolve({ status, headers: flat, body: this });
      return;
    }
    try {
      const body = inflateBody(this, encoding, maxInflatedBytes);
      flat["content-encoding"] = undefined;
      flat["content-length"] = undefined;
      this.#options.resolve({ status, headers: flat, body });
    } catch (error) {
      this.#phase = "waiting";
      this.#fail(error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#phase === "over") return;
    this.#lastByteAtMs = this.#options.clock.monotonic();
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > highWaterBytes) {
      this.#paused = true;
      controller.pause();
    }
    this.#awake();
  }

  onResponseEnd(): void {
    this.#finish();
    this.#awake();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#phase !== "over") this.#fail(toFailure(error, this.#phase));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#waitingBytes > 0) return Promise.resolve(this.#take());
    if (this.#failed) return Promise.reject(this.#failure);
    if (this.#phase === "over") return Promise.resolve(finished);
    // One socket read can bring many pieces: all are there by the time the continuation runs.
    return new Promise<void>((wake) => this.#wake = wake).then(() => this.next());
  }

  /** The reader leaves: what has not come yet is not waited for, and the socket is closed. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#waitingBytes = 0;
    this.#chunks.length = 0;
    if (this.#phase !== "over") {
      this.#finish();
      this.#controller?.abort(new Error("not read to the end"));
    }
    return Promise.resolve(finished);
  }

  #take(): IteratorResult<Uint8Array> {
    const [first] = this.#chunks;
    const value = this.#chunks.length === 1 && first !== undefined
      ? first
      : Buffer.concat(this.#chunks, this.#waitingBytes);
    this.#chunks = [];
    this.#waitingBytes = 0;
    if (this.#paused) {
      this.#paused = false;
      this.#lastByteAtMs = this.#options.clock.monotonic();
      this.#controller?.resume();
    }
    return { done: false, value };
  }

  #awake(): void {
    const wake = this.#wake;
    if (wake === undefined) return;
    this.#wake = undefined;
    wake();
  }

  #fail(reason: unknown): void {
    if (this.#phase === "over") return;
    const answered = this.#phase === "reading";
    this.#finish();
    this.#failed = true;
    this.#failure = reason;
    if (answered) this.#awake();
    else this.#options.reject(reason);
    this.#controller?.abort(new Error("given up", { cause: reason }));
  }

  #finish(): void {
    this.#phase = "over";
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener("abort", this);
  }

  #limitMs(): number {
    return this.#phase === "connecting"
      ? this.#options.connectTimeoutMs
      : this.#options.idleTimeoutMs;
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(onTimer, delayMs, this);
  }

  /** Looks whether the present limit has passed; activity only notes the time, so early looks re-arm. */
  static check(call: HttpCall, certain: boolean): void {
    const phase = call.#phase;
    if (phase === "over") return;
    const limitMs = call.#limitMs();
    const leftMs = call.#paused
      ? limitMs
      : call.#lastByteAtMs + limitMs - call.#options.clock.monotonic();
    if (leftMs > 0.5) call.#arm(leftMs);
    else if (certain) call.#fail(timedOut(phase, limitMs));
    // After a busy stretch timers run before sockets are read: let one poll pass before the verdict.
    else setImmediate(() => HttpCall.check(call, true));
  }
}

function onTimer(call: HttpCall): void {
  HttpCall.check(call, false);
}
