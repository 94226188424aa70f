import { hash } from "node:crypto";
import { GatewayError } from "../contract/errors.ts";
import type { Clock } from "../contract/plugin.ts";
import type { Database } from "../store/database.ts";
import { databaseError, violatedConstraint } from "../store/database-error.ts";
import { IdempotencyKey } from "../store/entities/index.ts";

/** An answer as it is kept for replays; secrets are masked already. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a key stands for when a call arrives. */
export type Claim =
  /** The call is the first: run it, then `keep` its answer, or `release` the key when it failed. */
  | {
    readonly kind: "first";
    keep(answer: KeptAnswer): Promise<void>;
    release(): Promise<void>;
  }
  | { readonly kind: "replay"; readonly answer: KeptAnswer };

const lifetimeMs = 24 * 60 * 60_000;
/** After this long a call without an answer is taken to have died with its process. */
const abandonedMs = 5 * 60_000;

/**
 * Claims an `Idempotency-Key` for a caller.
 *
 * Throws `VALIDATION_FAILED`, `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_IN_PROGRESS` or `DATABASE_UNAVAILABLE`.
 */
export async function claimIdempotencyKey(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  call: {
    readonly caller: string;
    readonly key: string;
    readonly method: string;
    readonly path: string;
    readonly body: Uint8Array;
  },
): Promise<Claim> {
  const { caller, key } = call;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new GatewayError(
      "VALIDATION_FAILED",
      "Cannot accept the Idempotency-Key: it must be 1 to 255 printable characters",
    );
  }
  const requestHash = hash(
    "sha256",
    Buffer.concat([Buffer.from(`${call.method} ${call.path}\n`), call.body]),
    "hex",
  );
  const now = clock.now();
  const row = {
    caller,
    key,
    requestHash,
    status: null,
    answer: null,
    createdAt: new Date(now),
    expiresAt: new Date(now + lifetimeMs),
  };
  const em = () => database.em();
  try {
    await em().nativeDelete(IdempotencyKey, {
      $or: [
        { expiresAt: { $lt: new Date(now) } },
        { caller, key, status: null, createdAt: { $lt: new Date(now - abandonedMs) } },
      ],
    });
    try {
      await em().insert(IdempotencyKey, row);
    } catch (error) {
      if (violatedConstraint(error) === undefined) throw error;
      return await meet(await em().findOne(IdempotencyKey, { caller, key }), requestHash);
    }
  } catch (error) {
    throw databaseError(error);
  }
  return {
    kind: "first",
    async keep(answer) {
      await em().nativeUpdate(IdempotencyKey, { caller, key, requestHash }, {
        status: answer.status,
        answer: { headers: answer.headers, body: answer.body },
      });
    },
    async release() {
      await em().nativeDelete(IdempotencyKey, { caller, key, requestHash, status: null });
    },
  };
}

function meet(row: IdempotencyKey | null, requestHash: string): Claim {
  if (row && row.requestHash !== requestHash) {
    throw new GatewayError(
      "IDEMPOTENCY_KEY_REUSED",
      "The Idempotency-Key was used for another request before: take a new one",
    );
  }
  if (!row || row.status === null) {
    throw new GatewayError(
      "IDEMPOTENCY_IN_PROGRESS",
      "The first request with this Idempotency-Key is still running",
      { retryAfterSeconds: 1 },
    );
  }
  const { headers, body } = row.answer as Pick<KeptAnswer, "headers" | "body">;
  return { kind: "replay", answer: { status: row.status, headers, body } };
}
