import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { EntityManager } from "@mikro-orm/postgresql";
import { GatewayError } from "../../contract/errors.ts";
import { sealedBy } from "../../host/encryption-backends.ts";
import { change } from "../../store/change.ts";
import type { ManagementServices } from "../services.ts";
import { createJobTable, type KeyName } from "./job.ts";
import { readSealedRows, rowName, type SealedRow, type SealedValue } from "./sealed-values.ts";

/** How far the values are. It is counted in the rows, so it is right after any crash. */
export interface ReEncryptionProgress {
  readonly state: "idle" | "running" | "failed";
  /** Values in all, and those sealed with the newest key of the chosen backend. */
  readonly total: number;
  readonly done: number;
  /** Values that could not be opened, or why it cannot go on at present. */
  readonly errors: readonly string[];
  /** Keys values are sealed with, and how many; those without values may be withdrawn. */
  readonly keys: readonly (KeyName & { readonly values: number })[];
}

/**
 * Rewrites sealed values under the newest key. What is asked for stands in the database until it is done: one
 * process at a time works on it, and another one takes over from one that stopped or died.
 */
export interface ReEncryption {
  progress(): Promise<ReEncryptionProgress>;
  /** Asks for it within a transaction; answers false when it is asked for already. */
  request(em: EntityManager, requestedBy: string | null): Promise<boolean>;
  /** Looks now whether there is something to do. Never rejects. */
  look(): Promise<void>;
  /** Looks again and again, until `stop`. */
  watch(): void;
  /** Ends after the values in hand; another process may go on at once. */
  stop(): Promise<void>;
}

/** What it stands on. */
export type ReEncryptionParts = Pick<
  ManagementServices,
  "database" | "host" | "encryption" | "loader" | "log"
>;

/**
 * Milliseconds between two looks, and after which a job is taken from a process that gave no sign of life.
 */
export const reEncryptionTimes = { lookMs: 5_000, leaseMs: 15_000 } as const;

const stopMs = 5_000;
const rowsAtOnce = 20;
const mostErrors = 20;

/** Creates the re-encryption of one process. It does nothing before `look` or `watch`. */
export function createReEncryption(
  parts: ReEncryptionParts,
  { lookMs, leaseMs }: { lookMs: number; leaseMs: number } = reEncryptionTimes,
): ReEncryption {
  const { database, host, encryption, loader, log } = parts;
  const runner = randomUUID();
  const jobs = createJobTable(database, leaseMs);
  let run: Promise<void> | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isStopping = false;

  async function newest(): Promise<KeyName> {
    const { backend, keyVersion } = await encryption();
    return { backend, keyVersion };
  }

  async function look(): Promise<void> {
    try {
      // While it runs this keeps the claim.
      const job = isStopping ? undefined : await jobs.claim(runner, await newest());
      if (job) run ??= work(job.requestedBy).finally(() => run = undefined);
    } catch (error) {
      log.debug("Cannot look for a re-encryption to do", { error });
    }
  }

  async function work(requestedBy: string | null): Promise<void> {
    const errors: string[] = [];
    try {
      const isFinished = await rewriteAll(requestedBy, errors);
      await jobs.release(runner, { isFinished, errors: errors.slice(0, mostErrors) });
      if (isFinished) log.info("All stored secrets were gone through", { errors: errors.length });
      // Polls bring it as well, this only sooner.
      await loader.refresh();
    } catch (error) {
      if (error instanceof TakenOver) return;
      log.warn("Re-encryption cannot go on; it is tried again", { error });
      const reason = error instanceof GatewayError ? error.message : "an unexpected failure";
      const told = [...errors, `Re-encryption cannot go on at present: ${reason}`];
      await jobs.release(runner, { isFinished: false, errors: told.slice(-mostErrors) })
        .catch(() => {});
    }
  }

  /** Answers false when it was stopped on the way. */
  async function rewriteAll(requestedBy: string | null, errors: string[]): Promise<boolean> {
    const target = await newest();
    // Every value is tried once; what somebody writes meanwhile is met by the next round.
    const tried = new Set<string>();
    const isOpen = ({ name, sealed }: SealedValue) =>
      !isSealedWith(target, sealed) && !tried.has(name);
    for (;;) {
      const rows = (await readSealedRows(database.em(), host))
        .filter(({ values }) => values.some(isOpen));
      if (rows.length === 0) return true;
      log.info("Stored secrets are sealed with another key", { ...target, rows: rows.length });
      for (let at = 0; at < rows.length; at += rowsAtOnce) {
        if (isStopping) return false;
        const batch = rows.slice(at, at + rowsAtOnce);
        // Outside of the transaction: a backend may take its time, and other changes do not wait for it.
        const texts = await rewrapped(batch, isOpen, errors);
        for (const { values } of batch) for (const { name } of values) tried.add(name);
        await change(database, { userId: requestedBy, via: "api" }, async ({ em }) => {
          if (!await jobs.isClaimedBy(em, runner)) throw new TakenOver();
          const names = new Set(batch.map(rowName));
          for (const row of await readSealedRows(em, host, names)) row.replace(texts);
        });
      }
    }
  }

  /** New texts by the names of the values. */
  async function rewrapped(
    rows: readonly SealedRow[],
    isOpen: (value: SealedValue) => boolean,
    errors: string[],
  ): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    const backends = await encryption();
    for (const row of rows) {
      for (const { name, path, sealed, context } of row.values.filter(isOpen)) {
        try {
          texts.set(name, await backends.rewrap(sealed, context));
        } catch (error) {
          // A value that does not open stops nothing; a backend that is away stops the run.
          const isLost = error instanceof GatewayError && error.code === "credential_unavailable";
          if (!isLost) throw error;
          errors.push(`${row.kind} ${row.id}, ${path}: ${error.message}`);
        }
      }
    }
    return texts;
  }

  return {
    async progress() {
      const target = await newest();
      const job = await jobs.read();
      const values = (await readSealedRows(database.em(), host)).flatMap(({ values }) => values);
      const total = values.length;
      const done = values.filter(({ sealed }) => isSealedWith(target, sealed)).length;
      const counted = { total, done, keys: countKeys(values) };
      const { backend, keyVersion } = job?.target ?? target;
      const isAsked = backend === target.backend && keyVersion === target.keyVersion;
      // What was lost may have been entered anew since.
      if (!job || (job.isFinished && (done === total || !isAsked))) {
        return { ...counted, state: "idle", errors: [] };
      }
      if (job.isFinished) return { ...counted, state: "failed", errors: job.errors };
      if (isAsked || job.isClaimed) return { ...counted, state: "running", errors: job.errors };
      const waits =
        `Key version ${keyVersion} of "${backend}" was asked for, and this gateway seals ` +
        `with version ${target.keyVersion} of "${target.backend}": start again for that one`;
      return { ...counted, state: "failed", errors: [...job.errors, waits] };
    },

    request: async (em, requestedBy) => await jobs.request(em, await newest(), requestedBy),
    look,

    watch() {
      void look();
      timer = setInterval(() => void look(), lookMs);
      timer.unref();
    },

    async stop() {
      isStopping = true;
      clearInterval(timer);
      // A backend that does not answer must not hold up the end: then the claim runs out by itself.
      await Promise.race([run, delay(stopMs, undefined, { ref: false })]);
    },
  };
}

/** Another process has the job in hand, or another key was asked for. */
class TakenOver extends Error {}

function isSealedWith({ backend, keyVersion }: KeyName, sealed: string): boolean {
  const by = sealedBy(sealed);
  return by?.backend === backend && by.keyVersion === keyVersion;
}

function countKeys(values: readonly { readonly sealed: string }[]) {
  const counts = new Map<string, KeyName & { values: number }>();
  for (const { sealed } of values) {
    const key = sealedBy(sealed)!;
    const name = `${key.backend} ${String(key.keyVersion).padStart(9, "0")}`;
    const count = counts.get(name);
    if (count) count.values++;
    else counts.set(name, { ...key, values: 1 });
  }
  return [...counts].sort(([one], [other]) => one < other ? -1 : 1).map(([, count]) => count);
}
