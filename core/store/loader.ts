import type { Log } from "../contract/plugin.ts";
import type { Database } from "./database.ts";
import { isDatabaseRefused, isDatabaseUnavailable, isHostUnknown } from "./database-error.ts";
import {
  createConnectionOpener,
  type OpenedConnection,
  type SecretFields,
} from "./open-connection.ts";
import type { OpenSecret, Snapshot } from "./snapshot.ts";
import type { SnapshotFile } from "./snapshot-file.ts";
import { type Position, readDelta } from "./snapshot-rows.ts";
import { applyDelta, emptyTables, type SnapshotTables } from "./snapshot-tables.ts";
import { createSnapshotBuilder, emptySnapshot } from "./snapshot-views.ts";

/** What the loader works with. */
export interface SnapshotLoaderOptions {
  readonly database: Database;
  readonly openSecret: OpenSecret;
  readonly secretFields: SecretFields;
  /** Pause between two looks at the revision, in milliseconds. */
  readonly pollMs: number;
  readonly log: Log;
  /** Runs before the first load until it succeeded once: migrations, bootstrap. */
  readonly prepare?: (() => Promise<unknown>) | undefined;
  /** Keeps the last snapshot for a start without the database. */
  readonly file?: SnapshotFile | undefined;
  /** Longest wait for one secret to open, in milliseconds; 5 000 by default. */
  readonly openTimeoutMs?: number | undefined;
}

/** How well the process knows the configuration. */
export interface LoaderState {
  /** `starting`: nothing loaded yet. `degraded`: the last snapshot serves, the database does not answer. */
  readonly status: "starting" | "ready" | "degraded";
  readonly since: Date;
  readonly revision: number;
  /** When the database last confirmed the snapshot; undefined for one from the file. */
  readonly confirmedAt: Date | undefined;
  /** Why the last load failed. */
  readonly error?: string;
  /** Connections whose secrets could not be opened. */
  readonly unopened: number;
}

/** Keeps the configuration snapshot of this process up to date. */
export interface SnapshotLoader {
  /** The present snapshot; an empty one while `state().status` is `starting`. */
  current(): Snapshot;
  /**
   * Loads for the first time and begins to poll. With the database away it takes the file, or stays
   * `starting` and keeps trying. Rejects when the first load fails for another reason, when the database refuses what
   * the settings say, and when nothing is kept and nobody knows the database's host.
   */
  start(): Promise<void>;
  /** Loads now; whoever changed the configuration calls it before answering. Throws `DATABASE_UNAVAILABLE`. */
  refresh(): Promise<Snapshot>;
  /** The rows the present snapshot was made of; they change in place with each load. */
  rows(): SnapshotTables;
  /** Calls `listener` with each new snapshot. Answers how to stop that. */
  onChange(listener: (snapshot: Snapshot, previous: Snapshot) => void): () => void;
  state(): LoaderState;
  stop(): Promise<void>;
}

/** A poll that takes longer than this counts as failed while it still waits. */
const stallMs = 5_000;
const longestRetryMs = 30_000;

/** Creates the loader. It does nothing before `start` or `refresh`. */
export function createSnapshotLoader(options: SnapshotLoaderOptions): SnapshotLoader {
  const { database, pollMs, log, prepare, file } = options;
  const opener = createConnectionOpener(
    options.openSecret,
    options.secretFields,
    options.openTimeoutMs ?? 5_000,
  );
  const listeners = new Set<(snapshot: Snapshot, previous: Snapshot) => void>();
  const build = createSnapshotBuilder();
  const tables = emptyTables();
  const opened = new Map<string, { row: object; result: OpenedConnection }>();
  let snapshot = emptySnapshot;
  let position: Position | undefined;
  let isPrepared = prepare === undefined;
  let state: LoaderState = {
    status: "starting",
    since: new Date(),
    revision: 0,
    confirmedAt: undefined,
    unopened: 0,
  };
  let retryAt = 0;
  let retryPauseMs = pollMs;
  let queue: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;

  // Loads run one after the other. Whoever asks while one runs gets one that starts afterwards.
  function load(): Promise<void> {
    waiting ??= (queue = queue.then(() => {
      waiting = undefined;
      return loadOnce();
    }, () => {
      waiting = undefined;
      return loadOnce();
    })) as Promise<void>;
    return waiting;
  }

  async function loadOnce(): Promise<void> {
    const stall = setTimeout(() => report("it does not answer"), stallMs);
    try {
      if (!isPrepared) await prepare?.();
      isPrepared = true;
      const delta = await readDelta(database, position);
      if (delta) applyDelta(tables, delta);
      const mustRetry = state.unopened > 0 && performance.now() >= retryAt;
      if (delta || mustRetry) {
        const isChanged = await openConnections(mustRetry);
        if (delta) position = { revision: delta.revision, epoch: delta.epoch };
        if (delta || isChanged) publish(position!.revision);
      }
      confirm();
      file?.keep(position!, tables);
    } catch (error) {
      report(error instanceof Error ? error.message : String(error), innermost(error));
      throw error;
    } finally {
      clearTimeout(stall);
    }
  }

  // Opens what is new and, on a retry, what failed before. Answers whether a retry led to something.
  async function openConnections(mustRetry: boolean): Promise<boolean> {
    let isChanged = false;
    for (const id of opened.keys()) {
      if (tables.AiConnection.has(id)) continue;
      opened.delete(id);
      opener.forget(id);
    }
    await Promise.all([...tables.AiConnection].map(async ([id, row]) => {
      const known = opened.get(id);
      const isSame = known?.row === row;
      if (isSame && (known.result.config !== undefined || !mustRetry)) return;
      const result = await opener.open(row);
      if (isSame && result.config === undefined) return;
      isChanged = true;
      opened.set(id, { row, result });
      if (result.config === undefined) {
        log.warn(`Connection "${row.name}" cannot be used`, {
          connectionId: id,
          reason: result.credentialError,
        });
      }
    }));
    const unopened = [...opened.values()].filter(({ result }) => result.config === undefined);
    const isProgress = unopened.length !== state.unopened;
    retryPauseMs = isProgress ? pollMs : Math.min(retryPauseMs * 2, longestRetryMs);
    retryAt = performance.now() + retryPauseMs;
    state = { ...state, unopened: unopened.length };
    return isChanged;
  }

  function publish(revision: number): void {
    const previous = snapshot;
    const results = new Map([...opened].map(([id, { result }]) => [id, result]));
    snapshot = build(revision, tables, results);
    for (const listener of listeners) {
      try {
        listener(snapshot, previous);
      } catch (error) {
        log.error("A listener of the configuration failed", { error });
      }
    }
  }

  function confirm(): void {
    if (state.status === "degraded") log.info("The database answers again");
    const since = state.status === "ready" ? state.since : new Date();
    const { unopened } = state;
    const { revision } = snapshot;
    state = { status: "ready", since, revision, confirmedAt: new Date(), unopened };
  }

  function report(error: string, reason = error): void {
    if (state.status === "ready") {
      log.warn("The database does not answer, the last configuration keeps serving", { reason });
      state = { ...state, status: "degraded", since: new Date(), error };
    } else {
      state = { ...state, error };
    }
  }

  function schedule(): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      // A failure is in the state and in the log already.
      load().catch(() => {}).finally(schedule);
    }, pollMs);
    timer.unref?.();
  }

  async function takeFile(): Promise<void> {
    const kept = await file?.read();
    if (!kept) return;
    applyDelta(tables, kept);
    await openConnections(false);
    publish(kept.revision);
    // No position: the first load from the database reads everything.
    state = { ...state, status: "degraded", since: new Date(), revision: kept.revision };
    log.warn("The database does not answer, serving the configuration kept in the data folder");
  }

  return {
    current: () => snapshot,
    async start() {
      try {
        await load();
      } catch (error) {
        if (!isDatabaseUnavailable(error) || isDatabaseRefused(error)) throw error;
        await takeFile();
        if (state.status === "starting" && isHostUnknown(error)) throw error;
      }
      schedule();
    },
    async refresh() {
      await load();
      return snapshot;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    state: () => state,
    rows: () => tables,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await queue.catch(() => {});
      await file?.flush();
    },
  };
}

/** What the operator needs to know: the outer failures only say that something was not possible. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : innermost(error.cause);
}
