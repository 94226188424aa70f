import { UsageAnswer, UsageQuery } from "@vmx/schemas";
import Type from "typebox";
import { GatewayError } from "../contract/errors.ts";
import type { UsageGroup } from "../contract/metric-sink.ts";
import {
  answerQuestion,
  type NameOf,
  type UsageRows,
} from "../records/usage/query/answer-question.ts";
import { exportUsage } from "../records/usage/query/export-usage.ts";
import { queryDatabase } from "../records/usage/query/query-database.ts";
import {
  precedingQuery,
  type ReadQuestion,
  readQuestion,
} from "../records/usage/query/read-question.ts";
import { databaseSink } from "../records/usage/sinks.ts";
import { User } from "../store/entities/index.ts";
import { environmentPath } from "./environments.ts";
import { FileStream } from "./file-stream.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";

const tag = "Usage";
const access = {
  action: "usage:get",
  resource: "workspace:{w}:environment:{e}:usage",
} as const;
const dayMs = 86_400_000;

/** Operations on usage. */
export const usageRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: `${environmentPath}/usage/query`,
    operationId: "queryUsage",
    summary: "Aggregates usage by time, dimensions and metadata",
    tag,
    access,
    body: UsageQuery,
    bodyCode: "USAGE_QUERY_INVALID",
    status: 200,
    answer: UsageAnswer,
    problems: ["USAGE_QUERY_INVALID", "SINK_NOT_QUERYABLE"],
    async handler(context) {
      const { body } = context;
      const [{ rows }, previous] = await Promise.all([
        ask(context, body),
        body.compare === "previous" ? ask(context, precedingQuery(body)) : undefined,
      ]);
      return {
        ...rows,
        sink: context.services.usageQuerySink!,
        ...(previous ? { previous: previous.rows } : {}),
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: `${environmentPath}/usage/export`,
    operationId: "exportUsage",
    summary: "Writes the rows of a usage query as CSV, with units in the header",
    tag,
    access,
    body: UsageQuery,
    bodyCode: "USAGE_QUERY_INVALID",
    status: 200,
    answer: Type.String(),
    answerTypes: ["text/csv"],
    replayable: false,
    problems: ["USAGE_QUERY_INVALID", "SINK_NOT_QUERYABLE"],
    async handler(context) {
      const { asked, rows } = await ask(context, context.body);
      const day = new Date(context.services.clock.now()).toISOString().slice(0, 10);
      return new FileStream("text/csv; charset=utf-8", `usage-${day}.csv`, async function* () {
        await Promise.resolve();
        yield* exportUsage(asked, rows);
      });
    },
  }),
];

type Context = Pick<RouteContext, "environment" | "workspace" | "services" | "snapshot">;

async function ask(
  context: Context,
  query: UsageQuery,
): Promise<{ asked: ReadQuestion; rows: UsageRows }> {
  const { environmentId } = context.environment;
  const { workspaceId } = context.workspace;
  const asked = readQuestion(query, { workspaceId, environmentId });
  const groups = await groupsOf(context, asked);
  return { asked, rows: answerQuestion(asked, groups, await namesFor(context, groups, asked)) };
}

async function groupsOf(
  { services, environment }: Context,
  { question }: ReadQuestion,
): Promise<readonly UsageGroup[]> {
  const { usageQuerySink: id, host } = services;
  if (id === undefined) {
    throw new GatewayError(
      "SINK_NOT_QUERYABLE",
      "Cannot query usage: VMX_USAGE_QUERY_SINK names none of VMX_USAGE_SINKS",
    );
  }
  if (id === databaseSink) {
    const now = services.clock.now();
    const { auditRetentionDays, usageRetentionDays } = environment.settings;
    return await queryDatabase(services.database.statements, question, {
      oldestPoint: now - auditRetentionDays * dayMs,
      oldestRollup: now - usageRetentionDays * dayMs,
    });
  }
  const refuse = (reason: string, cause?: unknown) =>
    new GatewayError("SINK_NOT_QUERYABLE", `Cannot query usage: sink "${id}" ${reason}`, { cause });
  if (!host.find("metricSinks", id)) throw refuse("is not installed");
  const sink = await host.get("metricSinks", id).catch((cause: unknown) => {
    throw refuse("could not be started", cause);
  });
  if (!sink.query) throw refuse("cannot be queried");
  return await sink.query(question).catch((cause: unknown) => {
    throw new GatewayError(
      "DATABASE_UNAVAILABLE",
      `Cannot query usage: sink "${id}" does not answer`,
      { cause },
    );
  });
}

/** Names of entities as they are now. Users are looked up; all others stand in the snapshot. */
async function namesFor(
  { snapshot, services, workspace, environment }: Context,
  groups: readonly UsageGroup[],
  { question }: ReadQuestion,
): Promise<NameOf> {
  const at = question.dimensions.indexOf("userId");
  const ids = at < 0 ? [] : [...new Set(groups.flatMap(({ dimensions }) => dimensions[at] ?? []))];
  const users = ids.length === 0
    ? []
    : await services.database.em().find(User, { userId: { $in: ids } });
  const userNames = new Map(users.map(({ userId, name, email }) => [userId, name || email]));
  const keyNames = new Map(
    question.dimensions.includes("apiKeyId")
      ? [...snapshot.apiKeysByHash.values()].map(({ apiKeyId, name }) => [apiKeyId, name])
      : [],
  );
  return (dimension, id) => {
    switch (dimension) {
      case "workspaceId":
        return id === workspace.workspaceId ? workspace.name : undefined;
      case "environmentId":
        return id === environment.environmentId ? environment.name : undefined;
      case "resourceId":
        return id === "ephemeral" ? id : environment.resources.get(id)?.name;
      case "connectionId":
        return environment.connections.get(id)?.name;
      case "apiKeyId":
        return keyNames.get(id);
      default:
        return userNames.get(id);
    }
  };
}
