import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { none } from "./tracked.ts";

/** Where a change came from. */
export type ActivityOrigin = "console" | "api" | "apply" | "bootstrap";

/** One line of the append-only activity trail. */
export const ActivityEntry = defineEntity({
  name: "ActivityEntry",
  tableName: "activity_entries",
  properties: {
    activityId: p.bigint("number").primary().autoincrement(),
    revision: p.bigint("number"),
    at: p.datetime(3).onCreate(() => new Date()),
    actorUserId: p.uuid().strictNullable().onCreate(none),
    actorTokenId: p.uuid().strictNullable().onCreate(none),
    via: p.string().$type<ActivityOrigin>(),
    /** Such as `ai-connection:update`. */
    action: p.string(),
    entityType: p.string(),
    entityId: p.string(),
    entityName: p.string(),
    workspaceId: p.uuid().strictNullable().onCreate(none),
    environmentId: p.uuid().strictNullable().onCreate(none),
    /** JSON patch with masked secrets. */
    diff: p.json<unknown[]>().onCreate(() => []),
    requestId: p.string().strictNullable().onCreate(none),
    sourceIp: p.string().strictNullable().onCreate(none),
  },
});
export type ActivityEntry = InferEntity<typeof ActivityEntry>;
