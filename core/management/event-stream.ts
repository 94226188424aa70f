/** An event for whoever follows a stream. */
export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
  /** Where the stream can be gone on from. */
  readonly id?: string;
}

/**
 * The answer of an operation that is followed instead of read: server-sent events until the reader leaves or the
 * gateway stops.
 */
export class EventStream {
  /** Starts the events; the signal ends them. */
  readonly events: (signal: AbortSignal) => AsyncIterable<StreamEvent>;
  constructor(events: EventStream["events"]) {
    this.events = events;
  }
}

/** Milliseconds of silence after which a comment shows that the stream lives. */
const keepAliveMs = 15_000;

/** The events as the text of an event stream, with comments in long silences. */
export async function* writeEvents(
  stream: EventStream,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const events = stream.events(signal)[Symbol.asyncIterator]();
  let next = events.next();
  try {
    while (!signal.aborted) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), keepAliveMs);
      });
      const result = await Promise.race([next, silence]).finally(() => clearTimeout(timer));
      if (!result) {
        yield ": keep-alive\n\n";
        continue;
      }
      if (result.done) return;
      const { event, data, id } = result.value;
      yield `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${
        JSON.stringify(data)
      }\n\n`;
      next = events.next();
    }
  } finally {
    next.catch(() => {});
    void events.return?.();
  }
}
