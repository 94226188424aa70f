import type { Log, SharedState } from "../contract/index.ts";
import { type LiveSamples, maxWindowMinutes, type SampleChange } from "./live-samples.ts";

/**
 * What all processes noted over the last three hours, kept in the shared state minute by minute: whoever starts reads
 * it. One process writes it down, as long as it holds the lease; its copy holds what the others told.
 */
export interface SampleHistory {
  /** Takes what is kept into the samples. Rejects while the shared state is away. */
  read(state: SharedState): Promise<void>;
  /** Remembers that minutes are to be written down. */
  note(changes: readonly Pick<SampleChange, "minute">[]): void;
  /** Whether it is this process that writes. Rejects while the shared state is away. */
  leads(state: SharedState): Promise<boolean>;
  /**
   * What is to be written, as it is now. Called right after the samples were drained, so that nobody reads here what
   * is told later.
   */
  take(): readonly KeptMinute[];
  /** Writes what was taken. Rejects while the shared state is away; then note it again. */
  write(state: SharedState, kept: readonly KeptMinute[]): Promise<void>;
  /** Lets another process write from now on. Rejects while the shared state is away. */
  handOver(state: SharedState): Promise<void>;
}

/** One minute as it is kept. */
export interface KeptMinute {
  /** Minutes since 1970. */
  readonly minute: number;
  readonly text: string;
}

const name = "routing-samples";
const leaseMs = 5_000;
const ttlMs = (maxWindowMinutes + 1) * 60_000;
/** Subjects kept of a minute: those with the most calls. */
const mostSubjects = 1_000;
/** Minutes written, and read, at once. */
const atOnce = 20;

/** Creates the history of one process's samples; nothing is read or written yet. */
export function createSampleHistory(
  samples: LiveSamples,
  processId: string,
  log: Log,
): SampleHistory {
  const changed = new Set<number>();

  function raise(text: string | undefined): void {
    try {
      if (text !== undefined) samples.raise(JSON.parse(text) as SampleChange[]);
    } catch (error) {
      log.warn("Left out kept error samples that cannot be read", { error });
    }
  }

  return {
    async read(state) {
      const last = samples.presentMinute() + 1;
      for (let newest = last; newest > last - maxWindowMinutes; newest -= atOnce) {
        const texts = await Promise.all(
          Array.from({ length: atOnce }, (_, back) => state.get(keyOf(newest - back))),
        );
        for (const text of texts) raise(text);
      }
    },
    note(changes) {
      for (const { minute } of changes) changed.add(minute);
    },
    async leads(state) {
      if (await state.lease(name, processId, leaseMs)) return true;
      // Earlier ones are written down by whoever holds the lease.
      const previous = samples.presentMinute() - 1;
      for (const minute of changed) if (minute < previous) changed.delete(minute);
      return false;
    },
    take() {
      const minutes = [...changed].sort((one, other) => other - one).slice(0, atOnce);
      for (const minute of minutes) changed.delete(minute);
      return minutes.map((minute) => ({
        minute,
        text: JSON.stringify(busiest(samples.totals(minute))),
      }));
    },
    async write(state, kept) {
      for (const { minute, text } of kept) await state.set(keyOf(minute), text, ttlMs);
    },
    handOver: (state) => state.release(name, processId),
  };
}

function keyOf(minute: number): string {
  return `${name}:${minute}`;
}

function busiest(totals: readonly SampleChange[]): readonly SampleChange[] {
  if (totals.length <= mostSubjects) return totals;
  const calls = ({ statuses }: SampleChange) =>
    Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return [...totals].sort((one, other) => calls(other) - calls(one)).slice(0, mostSubjects);
}
