import { Activity as ActivitySchema, pageOf, pageQuery, Timestamp, Uuid } from "@vmx/schemas";
import type { FilterQuery } from "@mikro-orm/core";
import Type from "typebox";
import { mayAdminister } from "../access/authorize.ts";
import { ActivityEntry } from "../store/entities/index.ts";
import { pageOfRows, readCursor, writeCursor } from "./cursor.ts";
import { environmentPath } from "./environments.ts";
import { parseTimestamp } from "./field.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";

const query = Type.Object({
  ...pageQuery,
  from: Type.Optional(Timestamp),
  to: Type.Optional(Timestamp),
  actor: Type.Optional(Uuid),
  entityType: Type.Optional(Type.String({ maxLength: 64 })),
  entityId: Type.Optional(Type.String({ maxLength: 256 })),
}, { additionalProperties: false });
type Query = Type.Static<typeof query>;

/** Operations on the activity trail. */
export const activityRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/activity",
    operationId: "listActivity",
    summary: "Lists what changed in the caller's workspaces, newest first",
    tag: "Activity",
    access: { action: "activity:list", resource: "activity" },
    query,
    answer: pageOf(ActivitySchema),
    problems: ["INVALID_CURSOR"],
    handler(context) {
      const { snapshot, principal } = context;
      if (mayAdminister(snapshot, principal)) return page(context, {});
      const own = [...snapshot.workspaces.values()]
        .filter(({ members }) => members.has(principal.user.userId))
        .map(({ workspaceId }) => workspaceId);
      return page(context, { workspaceId: { $in: own } });
    },
  }),

  defineRoute({
    method: "GET",
    path: `${environmentPath}/activity`,
    operationId: "listEnvironmentActivity",
    summary: "Lists what changed in an environment, newest first",
    tag: "Activity",
    access: { action: "activity:list", resource: "workspace:{w}:environment:{e}:activity" },
    query,
    answer: pageOf(ActivitySchema),
    problems: ["ENVIRONMENT_NOT_FOUND", "INVALID_CURSOR"],
    handler: (context) => page(context, { environmentId: context.environment.environmentId }),
  }),
];

async function page(
  { query, services }: Pick<RouteContext<Query>, "query" | "services">,
  where: FilterQuery<ActivityEntry>,
) {
  const limit = query.limit ?? 50;
  const after = query.cursor ? readCursor(query.cursor, ["integer"] as const) : undefined;
  const from = parseTimestamp(query.from, "query/from");
  const to = parseTimestamp(query.to, "query/to");
  const rows = await services.database.em().find(ActivityEntry, {
    $and: [
      where,
      after ? { activityId: { $lt: after[0] } } : {},
      from ? { at: { $gte: from } } : {},
      to ? { at: { $lt: to } } : {},
      query.actor === undefined ? {} : { actorUserId: query.actor },
      query.entityType === undefined ? {} : { entityType: query.entityType },
      query.entityId === undefined ? {} : { entityId: query.entityId },
    ],
  }, { orderBy: { activityId: "desc" }, limit: limit + 1 });
  const { rows: shown, nextCursor } = pageOfRows(
    rows,
    limit,
    ({ activityId }) => writeCursor([activityId]),
  );
  return { data: shown.map(presentActivity), nextCursor };
}

function presentActivity(row: ActivityEntry) {
  return {
    revision: row.revision,
    at: row.at.toISOString(),
    actor: {
      userId: row.actorUserId,
      ...(row.actorTokenId === null ? {} : { tokenId: row.actorTokenId }),
      via: row.via,
    },
    action: row.action,
    entity: { type: row.entityType, id: row.entityId, name: row.entityName },
    workspaceId: row.workspaceId,
    environmentId: row.environmentId,
    diff: row.diff,
    requestId: row.requestId,
    sourceIp: row.sourceIp,
  };
}
