import type { Answer } from "./call.ts";
import { ConnectionError, ServerError, TooManyRequestsError, type VmxError } from "./errors.ts";

/** An event of a stream. */
export interface ServerEvent<Data = unknown> {
  /** Where the stream can be resumed. */
  readonly id: string | undefined;
  /** Kind of the event, `message` when the stream names none. */
  readonly event: string;
  readonly data: Data;
}

/** How a stream is followed. */
export interface EventOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
  /** Goes on after this event. */
  readonly lastEventId?: string | undefined;
  /** Told when the stream flows, and when it broke off and is tried again. */
  readonly onState?: ((state: "live" | "reconnecting", error?: VmxError) => void) | undefined;
  /** Silence after which the connection counts as lost; the gateway sends at least every 15 s. Default: 45 000. */
  readonly idleTimeoutMs?: number | undefined;
}

/** What following needs of its surroundings. */
export interface EventParts {
  /** Opens the stream after an event. */
  readonly open: (
    lastEventId: string | undefined,
    signal: AbortSignal,
  ) => Promise<Answer<ReadableStream<Uint8Array>>>;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/**
 * Follows a stream of events, and goes on after the last one when the connection breaks. Ends with the signal.
 *
 * Throws a VmxError when the gateway refuses the stream.
 */
export async function* followEvents<Data>(
  { open, sleep, random }: EventParts,
  { signal, lastEventId, onState, idleTimeoutMs = 45_000 }: EventOptions,
): AsyncGenerator<ServerEvent<Data>, void, undefined> {
  let last = lastEventId;
  let waitMs = 1_000;
  for (let failures = 0; !signal?.aborted;) {
    const connection = new AbortController();
    const both = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
    const idle = createIdleTimer(idleTimeoutMs, () => connection.abort());
    let failure: VmxError | undefined;
    try {
      const { data: body, status } = await open(last, both);
      if (status === 204) return;
      onState?.("live");
      for await (const message of readMessages(body, idle.touch)) {
        failures = 0;
        if (message.retryMs !== undefined) waitMs = message.retryMs;
        if (message.id !== undefined) last = message.id;
        if (message.data === undefined) continue;
        yield { id: message.id, event: message.event, data: JSON.parse(message.data) as Data };
      }
    } catch (error) {
      if (signal?.aborted) return;
      failure = error as VmxError;
      // What the gateway refuses it refuses again; a broken connection may be whole a moment later.
      if (isRefusal(error)) throw error;
    } finally {
      idle.stop();
      connection.abort();
    }
    if (signal?.aborted) return;
    onState?.("reconnecting", failure);
    await sleep(Math.min(waitMs * 2 ** failures++, 30_000) * (1 - random() / 2), signal)
      .catch(() => {});
  }
}

function isRefusal(error: unknown): boolean {
  if (error instanceof SyntaxError) return true;
  if (!(error instanceof Error) || !("status" in error)) return false;
  return !(error instanceof ConnectionError || error instanceof ServerError ||
    error instanceof TooManyRequestsError);
}

interface Message {
  id: string | undefined;
  event: string;
  data: string | undefined;
  retryMs: number | undefined;
}

/** Reads the event stream format of the HTML standard, section 9.2. */
async function* readMessages(
  body: ReadableStream<Uint8Array>,
  touch: () => void,
): AsyncGenerator<Message, void, undefined> {
  const fresh = (): Message => ({
    id: undefined,
    event: "message",
    data: undefined,
    retryMs: undefined,
  });
  let message = fresh();
  for await (const line of readLines(body, touch)) {
    if (line === "") {
      yield message;
      message = fresh();
      continue;
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === "data") {
      message.data = message.data === undefined ? value : `${message.data}\n${value}`;
    }
    if (field === "id" && !value.includes("\0")) message.id = value;
    if (field === "event") message.event = value;
    if (field === "retry" && /^\d+$/.test(value)) message.retryMs = Number(value);
  }
}

async function* readLines(
  body: ReadableStream<Uint8Array>,
  touch: () => void,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      touch();
      rest += decoder.decode(value, { stream: true });
      // A carriage return at the very end may be half of a line end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop()!;
      yield* lines;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function createIdleTimer(idleMs: number, onIdle: () => void) {
  let timer = setTimeout(onIdle, idleMs);
  return {
    touch: () => {
      clearTimeout(timer);
      timer = setTimeout(onIdle, idleMs);
    },
    stop: () => clearTimeout(timer),
  };
}
