import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { none } from "./tracked.ts";

/** The remembered answer to a POST with an `Idempotency-Key`. */
export const IdempotencyKey = defineEntity({
  name: "IdempotencyKey",
  tableName: "idempotency_keys",
  properties: {
    /** Who called: keys of different callers do not meet. */
    caller: p.string().primary(),
    key: p.string().primary(),
    /** Hash of method, path and body. */
    requestHash: p.string(),
    /** HTTP status of the answer; null while the first call is running. */
    status: p.integer().strictNullable().onCreate(none),
    /** Body and headers to replay, secrets masked. */
    answer: p.json<unknown>().columnType("json").strictNullable().onCreate(none),
    createdAt: p.datetime(3).onCreate(() => new Date()),
    expiresAt: p.datetime(3),
  },
});
export type IdempotencyKey = InferEntity<typeof IdempotencyKey>;
