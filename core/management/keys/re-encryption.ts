import { randomUUID } from "node:crypto";
import { GatewayError } from "../../contract/errors.ts";
import { sealedBy } from "../../host/encryption-backends.ts";
import { type Actor, change } from "../../store/change.ts";
import type { ManagementServices } from "../services.ts";
import { readSealedRows, type SealedRow } from "./sealed-values.ts";

/** How far the values are. It is counted in the rows, so it is right after any crash. */
export interface ReEncryptionProgress {
  readonly state: "idle" | "running" | "failed";
  /** Values in all, and those sealed with the newest key of the chosen backend. */
  readonly total: number;
  readonly done: number;
  /** Why the last run of this process stopped, or values it could not open. */
  readonly errors: readonly string[];
  /** Keys values are sealed with, and how many; those without values may be withdrawn. */
  readonly keys: readonly {
    readonly backend: string;
    readonly keyVersion: number;
    readonly values: number;
  }[];
}

/** Rewrites sealed values under the newest key. */
export interface ReEncryption {
  progress(): Promise<ReEncryptionProgress>;
  /** Starts where an earlier run ended. Does nothing while one is running, in whichever process. */
  start(actor: Actor): Promise<void>;
  /** Waits for the run of this process. */
  finished(): Promise<void>;
}

/** What it stands on. */
export type ReEncryptionParts = Pick<
  ManagementServices,
  "database" | "host" | "encryption" | "loader" | "sharedState" | "log"
>;

const leaseName = "re-encryption";
const leaseMs = 30_000;
const rowsAtOnce = 20;
const mostErrors = 20;

/** Creates the re-encryption of one process. */
export function createReEncryption(parts: ReEncryptionParts): ReEncryption {
  const { database, host, encryption, loader, log } = parts;
  const owner = randomUUID();
  let run: Promise<void> | undefined;
  let errors: string[] = [];

  const note = (error: string) => void (errors.length < mostErrors && errors.push(error));

  /** Whether this process may run. Without shared state it is the only one. */
  async function mayRun(): Promise<boolean> {
    const state = await parts.sharedState?.();
    return state === undefined || await state.lease(leaseName, owner, leaseMs);
  }

  async function isNewest(): Promise<(sealed: string) => boolean> {
    const { keyVersion, versionOf } = await encryption();
    return (sealed) => versionOf(sealed) === keyVersion;
  }

  async function work(actor: Actor): Promise<void> {
    const done = await isNewest();
    const rows = await readSealedRows(database.em(), host);
    const open = rows.filter(({ values }) => values.some(({ sealed }) => !done(sealed)));
    log.info("Re-encryption begins", { rows: open.length });
    for (let at = 0; at < open.length; at += rowsAtOnce) {
      if (!await mayRun()) throw new Error("another process has taken over");
      const ids = new Set(open.slice(at, at + rowsAtOnce).map(({ id }) => id));
      await change(database, actor, async ({ em }) => {
        // Read again under the lock: what somebody has changed meanwhile counts.
        for (const row of await readSealedRows(em, host, ids)) await rewrap(row, done);
      });
      await loader.refresh();
    }
    log.info("Re-encryption ends", { errors: errors.length });
  }

  async function rewrap(row: SealedRow, done: (sealed: string) => boolean): Promise<void> {
    const texts = new Map<string, string>();
    for (const { path, sealed, context } of row.values) {
      if (done(sealed)) continue;
      try {
        texts.set(path, await (await encryption()).rewrap(sealed, context));
      } catch (error) {
        // A value that does not open stops nothing; a backend that is away stops the run.
        const isLost = error instanceof GatewayError && error.code === "credential_unavailable";
        if (!isLost) throw error;
        note(`${row.kind} ${row.id}, ${path}: ${error.message}`);
      }
    }
    if (texts.size > 0) row.replace(texts);
  }

  return {
    async progress() {
      const done = await isNewest();
      const values = (await readSealedRows(database.em(), host)).flatMap(({ values }) => values);
      const counts = new Map<string, number>();
      for (const { sealed } of values) {
        const { backend, keyVersion } = sealedBy(sealed)!;
        const name = `${backend}:${keyVersion}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const state = await parts.sharedState?.();
      const isElsewhere = run === undefined && await state?.get(`${leaseName}:running`) === "true";
      return {
        state: run !== undefined || isElsewhere ? "running" : errors.length > 0 ? "failed" : "idle",
        total: values.length,
        done: values.filter(({ sealed }) => done(sealed)).length,
        errors: [...errors],
        keys: [...counts].sort().map(([name, values]) => ({
          backend: name.split(":")[0]!,
          keyVersion: Number(name.split(":")[1]),
          values,
        })),
      };
    },

    async start(actor) {
      if (run !== undefined || !await mayRun()) return;
      errors = [];
      const state = await parts.sharedState?.();
      await state?.set(`${leaseName}:running`, "true", leaseMs);
      run = work(actor).catch((error: unknown) => {
        note(error instanceof Error ? error.message : "it failed");
        log.warn("Re-encryption stopped; start it again to go on", { error });
      }).finally(async () => {
        run = undefined;
        await state?.delete(`${leaseName}:running`).catch(() => {});
        await state?.release(leaseName, owner).catch(() => {});
      });
    },

    finished: async () => await run,
  };
}
