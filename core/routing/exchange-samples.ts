import { setTimeout as delay } from "node:timers/promises";
import type { Log, SharedState } from "../contract/index.ts";
import type { LiveSamples, SampleChange } from "./live-samples.ts";
import { createSampleHistory } from "./sample-history.ts";

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
/** Longest time a process that leaves gives a shared state that does not answer. */
const farewellMs = 1_000;
/** Subjects per message, so that one message stays below some hundred KiB. */
const batchSize = 500;

interface Message {
  readonly from: string;
  readonly changes: readonly SampleChange[];
}

/**
 * Lets processes tell each other about the ends of their calls, once a second and off the request path, beginning now
 * with what was told before this one started. While the shared state is away each process uses its own samples; what
 * it could not send is sent later.
 *
 * Answers a function that tells what is left and ends the exchange.
 */
export function exchangeSamples(parts: SampleExchangeParts): () => Promise<void> {
  const { samples, processId, log, intervalMs = 1_000 } = parts;
  const history = createSampleHistory(samples, processId, log);
  let leave: (() => Promise<void>) | undefined;
  let knowsHistory = false;
  let running: Promise<void> | undefined;
  let isAway = false;
  let unsent: SampleChange[] = [];

  async function turn(): Promise<void> {
    const state = await parts.sharedState();
    if (!state.shared) return void samples.drain();
    if (!knowsHistory) {
      // In this order nothing is counted twice: what was read has been told before.
      await history.read(state);
      leave ??= await state.subscribe(channel, receive);
      knowsHistory = true;
    }
    const leads = await history.leads(state);
    const drained = samples.drain();
    unsent.push(...drained);
    history.note(drained);
    const kept = leads ? history.take() : [];
    try {
      while (unsent.length > 0) {
        const changes = unsent.slice(0, batchSize);
        const message: Message = { from: processId, changes };
        await state.publish(channel, JSON.stringify(message));
        unsent = unsent.slice(batchSize);
      }
      await history.write(state, kept);
    } catch (error) {
      history.note(kept);
      throw error;
    }
  }

  function receive(text: string): void {
    try {
      const { from, changes } = JSON.parse(text) as Message;
      if (from === processId) return;
      samples.merge(changes);
      history.note(changes);
    } catch (error) {
      log.warn("Left out error samples of another process that cannot be read", { error });
    }
  }

  function next(): Promise<void> {
    return running ??= turn().then(
      () => {
        if (isAway) log.info("Error samples are exchanged with the other processes again");
        isAway = false;
      },
      (error: unknown) => {
        if (!isAway) log.warn("Cannot exchange error samples with other processes", { error });
        isAway = true;
        // Others told of their calls meanwhile.
        knowsHistory = false;
        unsent = newest(unsent);
      },
    ).finally(() => running = undefined);
  }

  async function farewell(): Promise<void> {
    await running;
    await next();
    if (!isAway && leave) await history.handOver(await parts.sharedState());
    await leave?.();
  }

  void next();
  const timer = setInterval(() => void next(), intervalMs);
  timer.unref();

  return async () => {
    clearInterval(timer);
    await Promise.race([farewell().catch(() => {}), delay(farewellMs, undefined, { ref: false })]);
  };
}

/** What waits for the shared state is bounded; the newest tells most. */
function newest(changes: SampleChange[]): SampleChange[] {
  return changes.slice(-20 * batchSize);
}
