import { join } from "node:path";
import type { Clock, Log, SharedState } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { createCapture, releaseCapture } from "../gateway/capture.ts";
import type { Exchange, Outcome } from "../gateway/exchange.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { EnvironmentSettingsView } from "../store/snapshot.ts";
import { pruneExpired } from "../store/prune.ts";
import type { Statements } from "../store/statements.ts";
import { type BatchWriter, createInsert } from "./insert.ts";
import { createLiveAudit, type LiveAudit } from "./live.ts";
import { startMaintenance } from "./maintenance.ts";
import { shipOrphans } from "./orphans.ts";
import { type ClassDay, createPartitions } from "./partitions.ts";
import { spooledPayload } from "./payload/spooled.ts";
import {
  type AuditRecord,
  finishedRecord,
  type PriceRecord,
  startedNote,
  unfinishedRecord,
} from "./record.ts";
import { type RetentionClass, retentionClassOf } from "./retention-class.ts";
import { recordText } from "./record-text.ts";
import { createShipper } from "./ship.ts";
import { createSpool, type Disk, type SpoolState } from "./spool/spool.ts";
import { createPointWriter } from "./usage/insert-points.ts";
import { rollupTables } from "./usage/rollups.ts";

/** What records are made with. */
export interface RecordsOptions {
  readonly dataDir: string;
  readonly settings: {
    readonly maxPayloadBytes: number;
    readonly spoolMaxBytes: number;
    readonly whenSpoolFull: "serve" | "refuse";
  };
  readonly statements: Statements;
  readonly host: PluginHost;
  readonly sharedState: () => Promise<SharedState>;
  readonly redact: (text: string) => string;
  readonly clock: Clock;
  readonly log: Log;
  /** Adds what a request cost; nothing has a price without it. */
  readonly price?: PriceRecord;
  /** Insert what else belongs to records, together with them; by default the points of their usage. */
  readonly writers?: readonly BatchWriter[];
  /** Settings of all environments. */
  readonly environmentSettings: () => Iterable<
    Pick<EnvironmentSettingsView, "auditRetentionDays" | "usageRetentionDays">
  >;
  readonly disk?: Disk;
  /** Bytes of streams that run and are to be kept; beyond it streams are only counted. 64 MiB by default. */
  readonly maxHeldStreamBytes?: number;
}

/** How the records are doing. */
export interface RecordsState {
  readonly spool: SpoolState & { readonly oldestAgeMs: number };
  /** Records shipped to the database since the start. */
  readonly shipped: number;
  /** Records that were lost: no place in the spool, or refused by the database. */
  readonly lost: number;
}

/** The records of this process's requests. */
export interface Records {
  /** See `GatewayServices.onTargeted`. */
  onTargeted(exchange: Exchange): Promise<void>;
  /** See `GatewayServices.onFirstContent`. */
  onFirstContent(exchange: Exchange): void;
  /** Writes and answers the record of a finished exchange; requests without a caller have none. Never throws. */
  onFinished(outcome: Outcome): AuditRecord | undefined;
  /** Resolves when the records so far would survive the end of the process; undefined when they do already. */
  written(): Promise<void> | undefined;
  /** Tells of every record as it is written; the listener must be quick. Answers how to end it. */
  onRecord(listener: (record: AuditRecord) => void): () => void;
  readonly live: LiveAudit;
  state(): RecordsState;
  /** Ships what is in the spool; resolves when it is in the database, or when that takes longer than `patienceMs`. */
  flush(patienceMs?: number): Promise<void>;
  /** Ships for at most `patienceMs`, then stops; the rest is shipped by the next process on the folder. */
  close(patienceMs?: number): Promise<void>;
}

const shipEveryMs = 200;
const shipAtRecords = 500;
const maxStreamBytes = 1024 * 1024;
const maxHeldStreamBytes = 64 * 1024 * 1024;
const orphansEveryMs = 30_000;

/** Opens the spool and starts shipping. */
export function createRecords(options: RecordsOptions): Records {
  const { log, clock, host, statements, settings } = options;
  const root = join(options.dataDir, "spool");
  const spool = createSpool({
    root,
    maxBytes: settings.spoolMaxBytes,
    whenFull: settings.whenSpoolFull,
    log,
    clock,
    ...(options.disk ? { disk: options.disk } : {}),
  });
  let rejected = 0;
  const partitions = createPartitions(
    statements,
    { audit: ["audit", "audit_payloads", "usage_points"], usage: rollupTables },
    log,
  );
  const writers = options.writers ?? [createPointWriter(statements.schema)];
  const insert = createInsert(statements, partitions, writers, (requestId, error) => {
    rejected++;
    log.error("The database does not take an audit record", { requestId, error });
  });
  const shipper = createShipper(spool, insert, {
    maxBytes: settings.maxPayloadBytes,
    dialect: async (id) => host.active("dialects", id) ?? await host.get("dialects", id),
    redact: options.redact,
  }, log);
  const live = createLiveAudit(options.sharedState, clock, log);
  const stopMaintenance = startMaintenance({
    partitions,
    classesInUse: () => classesInUse(options.environmentSettings()),
    prune: (now) => pruneExpired(statements, now),
    sharedState: options.sharedState,
    clock,
    log,
  });
  const captureBudget = {
    maxBytes: options.maxHeldStreamBytes ?? maxHeldStreamBytes,
    heldBytes: 0,
  };
  const listeners = new Set<(record: AuditRecord) => void>();

  let unshipped = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let orphans: Promise<unknown> = Promise.resolve();
  const adopt = () => {
    orphans = orphans.then(() => shipOrphans(root, shipper, log)).catch((error: unknown) =>
      log.warn("Cannot look for the records of earlier processes", { error })
    );
  };
  const adopting = setInterval(adopt, orphansEveryMs);
  adopting.unref();
  // Behind the start, which has better things to do.
  const firstAdoption = setTimeout(adopt, 500);
  firstAdoption.unref();

  const ship = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    unshipped = 0;
    await shipper.ship();
  };
  spool.onAppended = () => {
    unshipped++;
    if (unshipped === shipAtRecords) void ship();
    else timer ??= setTimeout(ship, shipEveryMs);
  };

  return {
    async onTargeted(exchange) {
      if (!spool.mayStart()) {
        throw new GatewayError(
          "audit_unavailable",
          "Cannot serve the request: its record cannot be written",
          { retryAfterSeconds: 5 },
        );
      }
      const mode = exchange.caller!.environment.settings.payloadCapture;
      if (mode !== "none" && spool.takesPayloads()) {
        exchange.capture = createCapture(mode === "full" ? maxStreamBytes : 0, captureBudget);
      }
      const note = startedNote(exchange);
      const noted = spool.start(exchange.requestId, recordText(note));
      if (live.isWatched(note.environmentId)) live.publish("started", unfinishedRecord(note));
      await noted;
    },
    onFirstContent(exchange) {
      const { environmentId } = exchange.caller!.environment;
      if (live.isWatched(environmentId)) {
        live.publish("first_token", unfinishedRecord(startedNote(exchange)));
      }
    },
    onFinished(outcome) {
      const { exchange } = outcome;
      if (!exchange.caller) return undefined;
      try {
        const record = write(outcome);
        if (live.isWatched(record.environmentId)) live.publish("finished", record);
        for (const listener of listeners) listener(record);
        return record;
      } catch (error) {
        rejected++;
        log.error("Cannot write the record of a request", { requestId: exchange.requestId, error });
        return undefined;
      } finally {
        if (exchange.capture) releaseCapture(exchange.capture);
      }
    },
    written: () => spool.written(),
    onRecord(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    live,
    state() {
      const spooled = spool.state();
      const { oldestAt } = spooled;
      return {
        spool: {
          ...spooled,
          oldestAgeMs: oldestAt === undefined ? 0 : Math.max(0, clock.now() - oldestAt),
        },
        shipped: shipper.shipped(),
        lost: spooled.lost + rejected,
      };
    },
    async flush(patienceMs = 5_000) {
      spool.flush();
      // One round may be under way that began before the flush.
      await within(patienceMs, shipper.ship().then(() => shipper.ship()));
    },
    async close(patienceMs = 5_000) {
      clearTimeout(timer);
      clearInterval(adopting);
      clearTimeout(firstAdoption);
      spool.onAppended = () => {};
      spool.flush();
      await within(patienceMs, shipper.ship().then(() => shipper.ship()));
      shipper.stop();
      await Promise.all([within(1_000, shipper.ship()), within(1_000, orphans)]);
      await Promise.all([stopMaintenance(), live.close()]);
      await spool.close();
    },
  };

  function write(outcome: Outcome): AuditRecord {
    const { exchange } = outcome;
    const record = finishedRecord(outcome, options.price);
    if (record.payloadCapture === "none" || record.payloadCapture === "dropped") {
      spool.finish(exchange.requestId, recordText(record), []);
      return record;
    }
    if (!spool.takesPayloads()) {
      const without: AuditRecord = { ...record, payloadCapture: "dropped" };
      spool.finish(exchange.requestId, recordText(without), []);
      return without;
    }
    const payload = spooledPayload(exchange, record.payloadCapture);
    spool.finish(exchange.requestId, recordText(record), payload);
    return record;
  }
}

function classesInUse(
  environments: ReturnType<RecordsOptions["environmentSettings"]>,
): Omit<ClassDay, "at">[] {
  const audit = new Set<RetentionClass>();
  const usage = new Set<RetentionClass>();
  for (const { auditRetentionDays, usageRetentionDays } of environments) {
    audit.add(retentionClassOf(auditRetentionDays));
    usage.add(retentionClassOf(usageRetentionDays));
  }
  return [
    ...[...audit].map((retentionClass) => ({ kind: "audit" as const, retentionClass })),
    ...[...usage].map((retentionClass) => ({ kind: "usage" as const, retentionClass })),
  ];
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
