import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import type { Routing } from "@vmx/schemas";
import { randomUUID } from "node:crypto";
import type { SlotView } from "../snapshot.ts";
import { none, tracked } from "./tracked.ts";

/** A logical endpoint whose name callers send as `model`. */
export const AiResource = defineEntity({
  name: "AiResource",
  tableName: "ai_resources",
  properties: {
    resourceId: p.uuid().primary().onCreate(() => randomUUID()),
    environmentId: p.uuid(),
    name: p.string(),
    description: p.text().strictNullable().onCreate(none),
    enabled: p.boolean().onCreate(() => true),
    model: p.json<SlotView>(),
    secondaryModels: p.json<SlotView[]>().onCreate(() => []),
    fallbackModels: p.json<SlotView[]>().onCreate(() => []),
    useFallback: p.boolean().strictNullable().onCreate(none),
    routing: p.json<Routing>().strictNullable().onCreate(none),
    capacity: p.json<unknown[]>().onCreate(() => []),
    enforceCapacity: p.boolean().onCreate(() => false),
    /** Kept as text JSON in the table, so that members stay in the order the caller wrote them. */
    defaultArgs: p.json<Record<string, unknown>>().columnType("json").strictNullable()
      .onCreate(none),
    onLoss: p.string().$type<"allow" | "warn" | "reject">().strictNullable().onCreate(none),
    ...tracked,
  },
});
export type AiResource = InferEntity<typeof AiResource>;
