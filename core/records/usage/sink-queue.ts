import type { Clock, Log, Measurement, MetricSink } from "../../contract/index.ts";

/** Measurements on their way to one sink. */
export interface SinkQueue {
  readonly sink: string;
  /** Takes measurements; never waits and never throws. The oldest give way when there are too many. */
  add(measurements: readonly Measurement[]): void;
  state(): SinkState;
  /** Sends what waits for at most `patienceMs`, then stops. */
  close(patienceMs: number): Promise<void>;
}

/** How a sink is doing. */
export interface SinkState {
  readonly waiting: number;
  /** Measurements that gave way to newer ones, or were left when the process ended. */
  readonly dropped: number;
  readonly away: boolean;
}

/** Measurements that wait, at most. */
export const maxWaiting = 10_000;

const batchPoints = 500;
const sendEveryMs = 200;
const firstPauseMs = 250;
const longestPauseMs = 30_000;
const sendTimeoutMs = 15_000;

/**
 * Opens the queue of a sink. Each sink has its own, with its own retries: one that is away takes nothing from the
 * others. A batch that failed comes first again, whole, so a sink can be given points twice.
 *
 * @param find finds the sink, which may need its plugin to be started; asked again after a failure
 */
export function createSinkQueue(
  id: string,
  find: () => Promise<MetricSink>,
  clock: Pick<Clock, "monotonic">,
  log: Log,
): SinkQueue {
  let waiting: Measurement[] = [];
  let dropped = 0;
  let pauseMs = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;

  const add = (measurements: readonly Measurement[]) => {
    if (closed) dropped += measurements.length;
    else {
      waiting.push(...measurements);
      makeRoom();
      if (waiting.length >= batchPoints && pauseMs === 0) void send();
      else schedule();
    }
  };

  function makeRoom(): void {
    const tooMany = waiting.length - maxWaiting;
    if (tooMany <= 0) return;
    waiting = waiting.slice(tooMany);
    dropped += tooMany;
  }

  function schedule(): void {
    if (sending || waiting.length === 0) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void send();
    }, Math.max(pauseMs, sendEveryMs)).unref();
  }

  function send(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    return sending ??= run().finally(() => {
      sending = undefined;
      if (!closed) schedule();
    });
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchPoints);
      waiting = waiting.slice(batch.length);
      try {
        const sink = await find();
        await within(sendTimeoutMs, sink.record(batch));
        if (pauseMs > 0) log.info(`The usage sink "${id}" takes points again`, { dropped });
        pauseMs = 0;
      } catch (error) {
        waiting = [...batch, ...waiting];
        makeRoom();
        if (pauseMs === 0) {
          log.warn(`Cannot write to the usage sink "${id}"; points wait`, { error });
        }
        pauseMs = Math.min(Math.max(firstPauseMs, 2 * pauseMs), longestPauseMs);
        return;
      }
    }
  }

  return {
    sink: id,
    add,
    state: () => ({ waiting: waiting.length, dropped, away: pauseMs > 0 }),
    async close(patienceMs) {
      const until = clock.monotonic() + patienceMs;
      clearTimeout(timer);
      // What is under way may be a try of something that is away: one more, then it is over.
      await settle(sending, until - clock.monotonic());
      await settle(send(), until - clock.monotonic());
      closed = true;
      clearTimeout(timer);
      dropped += waiting.length;
      waiting = [];
    },
  };
}

/** Rejects when work takes longer: a sink that never answers would hold its queue for ever. */
function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function settle(work: Promise<void> | undefined, ms: number): Promise<void> {
  if (work) await within(Math.max(ms, 0), work).catch(() => {});
}
