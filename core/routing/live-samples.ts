import type { Clock } from "../contract/index.ts";
import { createHistogram, type Histogram } from "./histogram.ts";

/** Whose calls a sample tells of. */
export interface SampleSubject {
  readonly environmentId: string;
  /** Id of the resource, `ephemeral`, or empty for calls without one. */
  readonly resourceId: string;
  readonly connectionId: string;
  readonly model: string;
}

/** Ends of calls within a window. */
export interface SampleCounts {
  readonly succeeded: number;
  readonly failed: number;
}

/** What one process noted of one subject within one minute, in a form that travels as JSON. */
export interface SampleChange extends SampleSubject {
  /** Minutes since 1970. */
  readonly minute: number;
  /** Ends by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Times to first content by the number of their histogram's bar. */
  readonly latencies: Readonly<Record<string, number>>;
}

/**
 * Samples of calls to providers, by minute, over the last three hours. The copy is the process's own; what other
 * processes noted is merged into it.
 */
export interface LiveSamples {
  /**
   * Notes the end of a leg that called its provider.
   *
   * @param status HTTP status; timeouts count as 504, network failures as 502
   * @param firstContentMs milliseconds from the call to the first content, if there was any
   */
  note(subject: SampleSubject, status: number, firstContentMs?: number): void;
  /**
   * Ends within the present minute and the ones before it.
   *
   * @param windowMinutes 1 to 180, the present minute included
   * @param statusCode the only status that counts as failed; `any` stands for 400 and above
   */
  counts(subject: SampleSubject, windowMinutes: number, statusCode: number | "any"): SampleCounts;
  /** Milliseconds to first content, or null without samples; at most 2.5 % off. */
  latency(subject: SampleSubject, percentile: number, windowMinutes: number): number | null;
  /** What was noted here since the last call, for the other processes. */
  drain(): SampleChange[];
  /** Adds what another process noted. Samples out of the window are left out. */
  merge(changes: readonly SampleChange[]): void;
  /** All that is known of one minute. */
  totals(minute: number): SampleChange[];
  /** Raises what is known to totals another process knew, so that taking them in again changes nothing. */
  raise(totals: readonly SampleChange[]): void;
  /** Minutes since 1970. */
  presentMinute(): number;
}

/** The longest window, in minutes. */
export const maxWindowMinutes = 180;
/** Subjects beyond it push out the one that was silent for longest. */
const maxSubjects = 10_000;
const minuteMs = 60_000;
const firstFailure = 400;

interface Minute {
  minute: number;
  readonly statuses: Map<number, number>;
  readonly latencies: Histogram;
}

interface Series {
  readonly subject: SampleSubject;
  /** The oldest first. */
  readonly minutes: Minute[];
}

/** Creates the samples of one process; there are none yet. */
export function createLiveSamples(clock: Clock): LiveSamples {
  const all = new Map<string, Series>();
  const fresh = new Map<string, Series>();
  const thisMinute = () => Math.floor(clock.now() / minuteMs);

  function minutesOf(subject: SampleSubject, windowMinutes: number): Minute[] {
    const oldest = thisMinute() - windowMinutes;
    return all.get(keyOf(subject))?.minutes.filter(({ minute }) => minute > oldest) ?? [];
  }

  function openTold({ minute, ...subject }: SampleSubject & { minute: number }) {
    const now = thisMinute();
    // A clock that is ahead must not fill minutes that have not begun.
    if (minute <= now - maxWindowMinutes || minute > now + 1) return undefined;
    return openMinute(all, subject, minute);
  }

  return {
    note(subject, status, firstContentMs) {
      for (const store of [all, fresh]) {
        const minute = openMinute(store, subject, thisMinute());
        minute.statuses.set(status, (minute.statuses.get(status) ?? 0) + 1);
        if (firstContentMs !== undefined) minute.latencies.add(firstContentMs);
      }
    },
    counts(subject, windowMinutes, statusCode) {
      let succeeded = 0;
      let failed = 0;
      // From the newest backwards and without a copy: rules ask on every request.
      const minutes = all.get(keyOf(subject))?.minutes ?? [];
      const oldest = thisMinute() - windowMinutes;
      for (let at = minutes.length - 1; at >= 0 && minutes[at]!.minute > oldest; at--) {
        for (const [status, count] of minutes[at]!.statuses) {
          const isFailed = statusCode === "any" ? status >= firstFailure : status === statusCode;
          if (isFailed) failed += count;
          else succeeded += count;
        }
      }
      return { succeeded, failed };
    },
    latency(subject, percentile, windowMinutes) {
      const merged = createHistogram();
      for (const { latencies } of minutesOf(subject, windowMinutes)) {
        merged.merge(latencies.bars());
      }
      return merged.percentile(percentile);
    },
    drain() {
      const changes = [...fresh.values()].flatMap(({ subject, minutes }) =>
        minutes.map((minute) => changeOf(subject, minute))
      );
      fresh.clear();
      return changes;
    },
    merge(changes) {
      for (const { statuses, latencies, ...place } of changes) {
        const target = openTold(place);
        if (!target) continue;
        for (const [status, count] of Object.entries(statuses)) {
          const known = Number(status);
          target.statuses.set(known, (target.statuses.get(known) ?? 0) + count);
        }
        target.latencies.merge(latencies);
      }
    },
    totals: (minute) =>
      [...all.values()].flatMap(({ subject, minutes }) =>
        minutes.filter((one) => one.minute === minute).map((one) => changeOf(subject, one))
      ),
    raise(totals) {
      for (const { statuses, latencies, ...place } of totals) {
        const target = openTold(place);
        if (!target) continue;
        for (const [status, count] of Object.entries(statuses)) {
          const known = Number(status);
          target.statuses.set(known, Math.max(target.statuses.get(known) ?? 0, count));
        }
        target.latencies.raise(latencies);
      }
    },
    presentMinute: thisMinute,
  };
}

/** Percent of failed ends; 0 without any. */
export function errorRateOf({ succeeded, failed }: SampleCounts): number {
  const total = succeeded + failed;
  return total === 0 ? 0 : 100 * failed / total;
}

function openMinute(store: Map<string, Series>, subject: SampleSubject, minute: number): Minute {
  const key = keyOf(subject);
  let series = store.get(key);
  if (!series) {
    if (store.size >= maxSubjects) dropSilent(store);
    const { environmentId, resourceId, connectionId, model } = subject;
    series = { subject: { environmentId, resourceId, connectionId, model }, minutes: [] };
    store.set(key, series);
  }
  const { minutes } = series;
  const last = minutes.at(-1);
  if (last?.minute === minute) return last;
  const found = minutes.find((known) => known.minute === minute);
  if (found) return found;
  const added: Minute = { minute, statuses: new Map(), latencies: createHistogram() };
  minutes.push(added);
  minutes.sort((a, b) => a.minute - b.minute);
  while (minutes.length > maxWindowMinutes) minutes.shift();
  return added;
}

function changeOf(
  subject: SampleSubject,
  { minute, statuses, latencies }: Minute,
): SampleChange {
  return {
    ...subject,
    minute,
    statuses: Object.fromEntries(statuses),
    latencies: latencies.bars(),
  };
}

function dropSilent(store: Map<string, Series>): void {
  let silent: string | undefined;
  let oldest = Infinity;
  for (const [key, { minutes }] of store) {
    const last = minutes.at(-1)?.minute ?? 0;
    if (last < oldest) [silent, oldest] = [key, last];
  }
  if (silent !== undefined) store.delete(silent);
}

function keyOf({ environmentId, resourceId, connectionId, model }: SampleSubject): string {
  return `${environmentId}/${resourceId}/${connectionId}/${model}`;
}
