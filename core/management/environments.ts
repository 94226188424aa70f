import {
  Environment as EnvironmentSchema,
  EnvironmentCreate,
  EnvironmentPatch,
  type EnvironmentSettings,
  listOf,
  nameQuery,
  usersQuery,
} from "@vmx/schemas";
import Type from "typebox";
import { GatewayError } from "../contract/errors.ts";
import { completeSettings } from "../store/environment-settings.ts";
import { Environment } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, sameName } from "./field.ts";
import { diff, mergePatch } from "./merge-patch.ts";
import { addUsers, trackedMembers } from "./present.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";

const list = "/api/v1/workspaces/{workspaceId}/environments";
/** Path of an environment, above everything it owns. */
export const environmentPath = `${list}/{environmentId}`;
const tag = "Environments";
const base = "workspace:{w}:environment";
const item = { resource: `${base}:{item}`, item: findItem };

/** Operations on environments. */
export const environmentRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listEnvironments",
    summary: "Lists the environments of a workspace",
    tag,
    access: { action: "environment:list", resource: base },
    query: Type.Object({ ...nameQuery, ...usersQuery }, { additionalProperties: false }),
    answer: listOf(EnvironmentSchema),
    problems: ["WORKSPACE_NOT_FOUND"],
    async handler({ query, services, workspace }) {
      const em = services.database.em();
      const rows = await em.find(Environment, { workspaceId: workspace.workspaceId }, {
        orderBy: { createdAt: "desc", environmentId: "desc" },
      });
      const wanted = rows.filter(({ name }) =>
        query.name === undefined || sameName(name, query.name)
      );
      return { data: await addUsers(em, wanted.map(presentEnvironment), query.includesUsers) };
    },
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "createEnvironment",
    summary: "Creates an environment",
    tag,
    access: { action: "environment:create", resource: base },
    body: EnvironmentCreate,
    answer: EnvironmentSchema,
    problems: ["WORKSPACE_NOT_FOUND", "ENVIRONMENT_ALREADY_EXISTS"],
    handler(context) {
      return commit(context, async ({ em, record }) => {
        const { workspaceId } = context.workspace;
        const name = cleanName(context.body.name);
        await refuseTakenName(em, workspaceId, name);
        const row = em.create(Environment, {
          environmentId: crypto.randomUUID(),
          workspaceId,
          name,
          description: context.body.description ?? null,
          settings: mergePatch({}, context.body.settings ?? {}) as Record<string, unknown>,
        });
        await em.flush();
        const answer = presentEnvironment(row);
        record({ ...activityOf("environment:create", row), diff: diff({}, described(answer)) });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: environmentPath,
    operationId: "getEnvironment",
    summary: "Reads an environment",
    tag,
    access: { action: "environment:get", ...item },
    query: Type.Object(usersQuery, { additionalProperties: false }),
    answer: EnvironmentSchema,
    problems: ["WORKSPACE_NOT_FOUND", "ENVIRONMENT_NOT_FOUND"],
    async handler({ query, services, item: { row } }) {
      const answers = [presentEnvironment(row)];
      return (await addUsers(services.database.em(), answers, query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: environmentPath,
    operationId: "updateEnvironment",
    summary: "Changes an environment; settings merge, null goes back to the default",
    tag,
    access: { action: "environment:update", ...item },
    body: EnvironmentPatch,
    answer: EnvironmentSchema,
    problems: [
      "WORKSPACE_NOT_FOUND",
      "ENVIRONMENT_NOT_FOUND",
      "ENVIRONMENT_ALREADY_EXISTS",
      "VERSION_MISMATCH",
    ],
    handler(context) {
      return commit(context, async ({ em, record }) => {
        const row = await findRow(context, em);
        checkVersion(context.ifMatch, row);
        const before = described(presentEnvironment(row));
        const { name, description, settings } = context.body;
        if (name !== undefined) {
          const cleaned = cleanName(name);
          await refuseTakenName(em, row.workspaceId, cleaned, row.environmentId);
          row.name = cleaned;
        }
        if (description !== undefined) row.description = description;
        if (settings !== undefined) {
          row.settings = mergePatch(
            settings === null ? {} : row.settings,
            settings ?? {},
          ) as Record<
            string,
            unknown
          >;
        }
        await em.flush();
        const answer = presentEnvironment(row);
        record({ ...activityOf("environment:update", row), diff: diff(before, described(answer)) });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path: environmentPath,
    operationId: "deleteEnvironment",
    summary: "Deletes an environment and everything it owns",
    tag,
    access: { action: "environment:delete", ...item },
    problems: ["WORKSPACE_NOT_FOUND", "ENVIRONMENT_NOT_FOUND", "VERSION_MISMATCH"],
    async handler(context) {
      await commit(context, async ({ em, record }) => {
        const row = await findRow(context, em);
        checkVersion(context.ifMatch, row);
        em.remove(row);
        record(activityOf("environment:delete", row));
      });
    },
  }),
];

/** An environment as answers show it. */
export function presentEnvironment(row: Environment) {
  return {
    environmentId: row.environmentId,
    workspaceId: row.workspaceId,
    name: row.name,
    description: row.description,
    settings: completeSettings(row.settings) as unknown as EnvironmentSettings,
    ...trackedMembers(row),
  };
}

function described(
  { name, description, settings }: ReturnType<typeof presentEnvironment>,
): Record<string, unknown> {
  return { name, description, settings };
}

function activityOf(action: string, row: Environment) {
  return {
    action,
    entity: { type: "environment", id: row.environmentId, name: row.name },
    workspaceId: row.workspaceId,
    environmentId: row.environmentId,
  };
}

type Em = ReturnType<RouteContext["services"]["database"]["em"]>;

async function findItem(context: RouteContext): Promise<Item & { readonly row: Environment }> {
  const row = await findRow(context, context.services.database.em());
  return { name: row.name, id: row.environmentId, createdBy: row.createdBy, row };
}

async function findRow(context: Pick<RouteContext, "environment">, em: Em): Promise<Environment> {
  const { environmentId } = context.environment;
  const row = await em.findOne(Environment, { environmentId });
  if (row) return row;
  throw new GatewayError("ENVIRONMENT_NOT_FOUND", "The environment in the path does not exist");
}

async function refuseTakenName(
  em: Em,
  workspaceId: string,
  name: string,
  except?: string,
): Promise<void> {
  const rows = await em.find(Environment, { workspaceId }, { fields: ["environmentId", "name"] });
  if (!rows.some((row) => row.environmentId !== except && sameName(row.name, name))) return;
  throw new GatewayError(
    "ENVIRONMENT_ALREADY_EXISTS",
    `Cannot name the environment "${name}": another one in the workspace has that name`,
  );
}
