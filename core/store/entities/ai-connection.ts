import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { randomUUID } from "node:crypto";
import { none, tracked } from "./tracked.ts";

/** Result of the last connection test. */
export interface StoredConnectionTest {
  readonly at: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly message?: string;
}

/** A provider with credentials, capacity and allowed models. */
export const AiConnection = defineEntity({
  name: "AiConnection",
  tableName: "ai_connections",
  properties: {
    connectionId: p.uuid().primary().onCreate(() => randomUUID()),
    environmentId: p.uuid(),
    name: p.string(),
    description: p.text().strictNullable().onCreate(none),
    /** Canonical provider id. */
    provider: p.string(),
    /** The provider's configuration; the value of every secret field is a sealed text. */
    config: p.json<Record<string, unknown>>().onCreate(() => ({})),
    /** Empty means every model. */
    allowedModels: p.json<string[]>().onCreate(() => []),
    capacity: p.json<unknown[]>().onCreate(() => []),
    enabled: p.boolean().onCreate(() => true),
    /** Observed: raises no version and no revision. */
    lastTest: p.json<StoredConnectionTest>().strictNullable().onCreate(none),
    /** Observed: raises no version and no revision. */
    discoveredCapacity: p.json<Record<string, unknown>>().strictNullable().onCreate(none),
    ...tracked,
  },
});
export type AiConnection = InferEntity<typeof AiConnection>;
