import type { AuditRow } from "@vmx/schemas";
import type { Clock, Log, SharedState } from "../contract/index.ts";
import type { AuditRecord } from "./record.ts";
import { listRow } from "./list-row.ts";

/** Moments of a request the live stream tells. */
export type LiveKind = "started" | "first_token" | "finished";

/** A row while its request runs, when it has no status yet, or afterwards. */
export type LiveRow = Omit<AuditRow, "status"> & { readonly status: AuditRow["status"] | null };

/** One event of the live stream. */
export interface LiveEvent {
  readonly id: string;
  readonly event: LiveKind;
  readonly row: LiveRow;
}

/** What a subscriber is told: events, or their counts while there are too many, or that some are gone. */
export type LiveMessage =
  | LiveEvent
  | { readonly event: "counts"; readonly counts: Readonly<Record<LiveKind, number>> }
  | { readonly event: "gap" };

/** Who wants to be told what. */
export interface LiveSubscription {
  readonly environmentId: string;
  readonly matches: (row: LiveRow) => boolean;
  /** Id of the last event that was seen, to go on behind it. */
  readonly lastEventId?: string | undefined;
  readonly listener: (message: LiveMessage) => void;
}

/** Requests as they happen, in this process and all others. */
export interface LiveAudit {
  /** Whether anybody wants to know; nothing is built for an environment nobody watches. */
  isWatched(environmentId: string): boolean;
  publish(kind: LiveKind, record: AuditRecord): void;
  /** Answers how to end the subscription. */
  subscribe(subscription: LiveSubscription): () => void;
  close(): Promise<void>;
}

const memoryMs = 60_000;
const maxRemembered = 6_000;
const maxPerSecond = 50;
const announceEveryMs = 5_000;
const announcedForMs = 15_000;
const maxSharedPerSecond = 200;
const watchChannel = "audit-watch";

/** Events of an environment that somebody watches, or did a minute ago. */
interface Watch {
  readonly listeners: Set<(event: LiveEvent) => void>;
  remembered: { readonly at: number; readonly event: LiveEvent }[];
  since: number;
  /** Clears the watch some time after its last subscriber. */
  ending: ReturnType<typeof setTimeout> | undefined;
  announcing: ReturnType<typeof setInterval> | undefined;
  unsubscribe: Promise<(() => Promise<void>) | undefined>;
}

/** Creates the live stream. Other processes are asked for events only while somebody here subscribes. */
export function createLiveAudit(
  sharedState: () => Promise<SharedState>,
  clock: Clock,
  log: Log,
): LiveAudit {
  const origin = crypto.randomUUID().slice(0, 8);
  const watches = new Map<string, Watch>();
  /** Environments other processes watch, with the time until which they do. */
  const watchedElsewhere = new Map<string, number>();
  let count = 0;
  let sharedSecond = 0;
  let sharedInSecond = 0;
  const announcements = listenForWatches();

  const quietly = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => log.debug("Cannot share live audit events", { error }));
  };

  return {
    isWatched(environmentId) {
      if (watches.size === 0 && watchedElsewhere.size === 0) return false;
      return watches.has(environmentId) || isWatchedElsewhere(environmentId);
    },
    publish(kind, record) {
      const { environmentId } = record;
      const row = listRow(record);
      const event: LiveEvent = {
        id: `${clock.now().toString(36)}-${origin}-${(++count).toString(36)}`,
        event: kind,
        row: kind === "finished" ? row : { ...row, status: null },
      };
      deliver(environmentId, event);
      if (!isWatchedElsewhere(environmentId) || !mayShare()) return;
      quietly(
        sharedState().then((state) => state.publish(channel(environmentId), JSON.stringify(event))),
      );
    },
    subscribe({ environmentId, matches, lastEventId, listener }) {
      const watch = watches.get(environmentId) ?? beginWatch(environmentId);
      clearTimeout(watch.ending);
      const limited = limitRate(listener);
      const tell = (event: LiveEvent) => {
        if (matches(event.row)) limited.tell(event);
      };
      if (lastEventId !== undefined) replay(watch, lastEventId, matches, listener);
      watch.listeners.add(tell);
      return () => {
        limited.stop();
        watch.listeners.delete(tell);
        if (watch.listeners.size > 0) return;
        watch.ending = setTimeout(() => endWatch(environmentId, watch), memoryMs);
        watch.ending.unref();
      };
    },
    async close() {
      for (const [environmentId, watch] of watches) endWatch(environmentId, watch);
      const stop = await announcements;
      await stop?.().catch(() => {});
    },
  };

  function isWatchedElsewhere(environmentId: string): boolean {
    const until = watchedElsewhere.get(environmentId);
    if (until === undefined) return false;
    if (until > clock.now()) return true;
    watchedElsewhere.delete(environmentId);
    return false;
  }

  function mayShare(): boolean {
    const second = Math.floor(clock.now() / 1000);
    if (second !== sharedSecond) {
      sharedSecond = second;
      sharedInSecond = 0;
    }
    return ++sharedInSecond <= maxSharedPerSecond;
  }

  function deliver(environmentId: string, event: LiveEvent): void {
    const watch = watches.get(environmentId);
    if (!watch) return;
    const at = clock.now();
    watch.remembered.push({ at, event });
    if (watch.remembered.length > 2 * maxRemembered) {
      watch.remembered = watch.remembered.slice(-maxRemembered);
      watch.since = watch.remembered[0]!.at;
    }
    for (const tell of watch.listeners) tell(event);
  }

  function replay(
    watch: Watch,
    lastEventId: string,
    matches: LiveSubscription["matches"],
    listener: LiveSubscription["listener"],
  ): void {
    const from = clock.now() - memoryMs;
    const seen = watch.remembered.findIndex(({ event }) => event.id === lastEventId);
    const at = Number.parseInt(lastEventId.split("-")[0]!, 36);
    // The id may be another process's: then everything since its time is told again.
    if (seen < 0 && !(at >= Math.max(watch.since, from))) return listener({ event: "gap" });
    const missed = watch.remembered.filter((one, index) =>
      one.at >= from && (seen >= 0 ? index > seen : one.at >= at) && matches(one.event.row)
    );
    for (const { event } of missed) listener(event);
  }

  function beginWatch(environmentId: string): Watch {
    const announce = () =>
      quietly(
        sharedState().then((state) =>
          state.shared
            ? state.publish(watchChannel, JSON.stringify({ environmentId, origin }))
            : undefined
        ),
      );
    const watch: Watch = {
      listeners: new Set(),
      remembered: [],
      since: clock.now(),
      ending: undefined,
      announcing: setInterval(announce, announceEveryMs),
      unsubscribe: sharedState().then((state) =>
        state.shared
          ? state.subscribe(channel(environmentId), (message) => takeShared(environmentId, message))
          : undefined
      ).catch((error: unknown) => {
        log.debug("Cannot watch the audit of other processes", { error });
        return undefined;
      }),
    };
    watch.announcing!.unref();
    watches.set(environmentId, watch);
    announce();
    return watch;
  }

  function endWatch(environmentId: string, watch: Watch): void {
    clearInterval(watch.announcing);
    clearTimeout(watch.ending);
    watches.delete(environmentId);
    quietly(watch.unsubscribe.then((stop) => stop?.()));
  }

  function takeShared(environmentId: string, message: string): void {
    try {
      const event = JSON.parse(message) as LiveEvent;
      if (!event.id.includes(`-${origin}-`)) deliver(environmentId, event);
    } catch (error) {
      log.debug("A live audit event cannot be read", { error });
    }
  }

  async function listenForWatches(): Promise<(() => Promise<void>) | undefined> {
    try {
      const state = await sharedState();
      if (!state.shared) return undefined;
      return await state.subscribe(watchChannel, (message) => {
        const { environmentId, origin: from } = JSON.parse(message) as Record<string, string>;
        if (from !== origin && environmentId) {
          watchedElsewhere.set(environmentId, clock.now() + announcedForMs);
        }
      });
    } catch (error) {
      log.debug("Cannot learn who watches the audit", { error });
      return undefined;
    }
  }
}

function channel(environmentId: string): string {
  return `audit-live:${environmentId}`;
}

/** Lets 50 events a second through and tells the rest as counts when the second is over. */
function limitRate(listener: (message: LiveMessage) => void) {
  let second = 0;
  let told = 0;
  let counts: Record<LiveKind, number> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    tell(event: LiveEvent): void {
      const now = Math.floor(performance.now() / 1000);
      if (now !== second) {
        second = now;
        told = 0;
      }
      if (told++ < maxPerSecond) return listener(event);
      counts ??= { started: 0, first_token: 0, finished: 0 };
      counts[event.event]++;
      timer ??= setTimeout(() => {
        timer = undefined;
        const settled = counts!;
        counts = undefined;
        listener({ event: "counts", counts: settled });
      }, 1_000);
    },
    stop: () => clearTimeout(timer),
  };
}
