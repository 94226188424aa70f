import { defineEntity, type InferEntity, p } from "@mikro-orm/core";

/** Which key a version stands for, so that a start with another key under it is noticed. */
export const KeyFingerprint = defineEntity({
  name: "KeyFingerprint",
  tableName: "key_fingerprints",
  properties: {
    backend: p.string().primary(),
    keyVersion: p.integer().primary().autoincrement(false),
    fingerprint: p.string(),
    createdAt: p.datetime(3).onCreate(() => new Date()),
  },
});
export type KeyFingerprint = InferEntity<typeof KeyFingerprint>;
