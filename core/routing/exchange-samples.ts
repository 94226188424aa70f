import type { Log, SharedState } from "../contract/index.ts";
import type { LiveSamples, SampleChange } from "./live-samples.ts";

/** What the exchange stands on. */
export interface SampleExchangeParts {
  readonly samples: LiveSamples;
  readonly sharedState: () => Promise<SharedState>;
  /** Names this process, so that it leaves out what it sent itself. */
  readonly processId: string;
  readonly log: Log;
  /** Milliseconds between two sendings; 1 000 if not said. */
  readonly intervalMs?: number;
}

const channel = "routing-samples";
/** Subjects per message, so that one message stays below some hundred KiB. */
const batchSize = 500;

interface Message {
  readonly from: string;
  readonly changes: readonly SampleChange[];
}

/**
 * Lets processes tell each other about the ends of their calls, once a second and off the request path. While the
 * shared state is away each process uses its own samples; what it could not send is sent later.
 *
 * Answers a function that ends the exchange.
 */
export function exchangeSamples(parts: SampleExchangeParts): () => Promise<void> {
  const { samples, processId, log, intervalMs = 1_000 } = parts;
  let leave: (() => Promise<void>) | undefined;
  let isBusy = false;
  let isAway = false;
  let unsent: SampleChange[] = [];

  async function turn(): Promise<void> {
    const state = await parts.sharedState();
    unsent.push(...samples.drain());
    if (!state.shared) {
      unsent = [];
      return;
    }
    leave ??= await state.subscribe(channel, receive);
    while (unsent.length > 0) {
      const changes = unsent.slice(0, batchSize);
      await state.publish(channel, JSON.stringify({ from: processId, changes } satisfies Message));
      unsent = unsent.slice(batchSize);
    }
  }

  function receive(text: string): void {
    try {
      const { from, changes } = JSON.parse(text) as Message;
      if (from !== processId) samples.merge(changes);
    } catch (error) {
      log.warn("Left out error samples of another process that cannot be read", { error });
    }
  }

  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    turn().then(
      () => {
        if (isAway) log.info("Error samples are exchanged with the other processes again");
        isAway = false;
      },
      (error: unknown) => {
        if (!isAway) log.warn("Cannot exchange error samples with other processes", { error });
        isAway = true;
        unsent = newest(unsent);
      },
    ).finally(() => isBusy = false);
  }, intervalMs);
  timer.unref();

  return async () => {
    clearInterval(timer);
    await leave?.().catch(() => {});
  };
}

/** What waits for the shared state is bounded; the newest tells most. */
function newest(changes: SampleChange[]): SampleChange[] {
  return changes.slice(-20 * batchSize);
}
