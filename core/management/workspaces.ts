import {
  listOf,
  nameQuery,
  usersQuery,
  Workspace as WorkspaceSchema,
  WorkspaceCreate,
  WorkspacePatch,
} from "@vmx/schemas";
import Type from "typebox";
import { decideAccess, maySeeWorkspace } from "../access/authorize.ts";
import { resourceOf } from "../access/resource.ts";
import { GatewayError } from "../contract/errors.ts";
import { Environment, Workspace, WorkspaceMember } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { presentEnvironment } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers, trackedMembers } from "./present.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";

const list = "/api/v1/workspaces";
const one = `${list}/{workspaceId}`;
const tag = "Workspaces";
const resource = "workspace:{w}";

/** Operations on workspaces. */
export const workspaceRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listWorkspaces",
    summary: "Lists the caller's workspaces; all of them for holders of workspace:administer",
    tag,
    access: { action: "workspace:list", resource: "workspace" },
    query: Type.Object({
      ...nameQuery,
      ...usersQuery,
      includesEnvironments: Type.Optional(Type.Boolean()),
    }, { additionalProperties: false }),
    answer: listOf(WorkspaceSchema),
    async handler({ query, services, snapshot, principal }) {
      const em = services.database.em();
      const visible = [...snapshot.workspaces.values()].filter(({ workspaceId, name }) =>
        maySeeWorkspace(snapshot, principal, workspaceId) &&
        (query.name === undefined || sameName(name, query.name))
      );
      const ids = visible.map(({ workspaceId }) => workspaceId);
      const rows = await em.find(Workspace, { workspaceId: { $in: ids } }, {
        orderBy: { createdAt: "desc", workspaceId: "desc" },
      });
      const answers = await addUsers(em, rows.map(presentWorkspace), query.includesUsers);
      if (!query.includesEnvironments) return { data: answers };
      const environments = await em.find(Environment, { workspaceId: { $in: ids } }, {
        orderBy: { createdAt: "desc", environmentId: "desc" },
      });
      return {
        data: answers.map((workspace) => ({
          ...workspace,
          environments: environments
            .filter(({ workspaceId }) => workspaceId === workspace.workspaceId)
            .filter(({ environmentId, name, createdBy }) =>
              decideAccess(
                snapshot,
                principal,
                "environment:get",
                resourceOf([
                  "workspace",
                  { name: workspace.name, id: workspace.workspaceId },
                  "environment",
                  { name, id: environmentId },
                ], { workspaceId: workspace.workspaceId, createdBy }),
              ).allowed
            )
            .map(presentEnvironment),
        })),
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "createWorkspace",
    summary: "Creates a workspace; the caller becomes its owner",
    tag,
    access: { action: "workspace:create", resource: "workspace" },
    body: WorkspaceCreate,
    answer: WorkspaceSchema,
    problems: ["WORKSPACE_ALREADY_EXISTS"],
    handler(context) {
      return commit(context, async ({ em, record }) => {
        const name = cleanName(context.body.name);
        const workspaceId = crypto.randomUUID();
        await refuseTakenName(em, name);
        const row = em.create(Workspace, {
          workspaceId,
          name,
          description: context.body.description ?? null,
        });
        em.create(WorkspaceMember, {
          workspaceId,
          userId: context.principal.user.userId,
          role: "OWNER",
          addedBy: context.principal.user.userId,
        });
        await em.flush();
        const answer = presentWorkspace(row);
        record({
          action: "workspace:create",
          entity: { type: "workspace", id: workspaceId, name },
          workspaceId,
          diff: diff({}, described(answer)),
        });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: one,
    operationId: "getWorkspace",
    summary: "Reads a workspace",
    tag,
    access: { action: "workspace:get", resource },
    query: Type.Object(usersQuery, { additionalProperties: false }),
    answer: WorkspaceSchema,
    problems: ["WORKSPACE_NOT_FOUND"],
    async handler({ query, services, workspace }) {
      const em = services.database.em();
      const row = await em.findOne(Workspace, { workspaceId: workspace.workspaceId });
      if (!row) throw absent();
      return (await addUsers(em, [presentWorkspace(row)], query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: one,
    operationId: "updateWorkspace",
    summary: "Changes a workspace",
    tag,
    access: { action: "workspace:update", resource },
    body: WorkspacePatch,
    answer: WorkspaceSchema,
    problems: ["WORKSPACE_NOT_FOUND", "WORKSPACE_ALREADY_EXISTS", "VERSION_MISMATCH"],
    handler(context) {
      return commit(context, async ({ em, record }) => {
        const row = await findRow(context, em);
        checkVersion(context.ifMatch, row);
        const before = described(presentWorkspace(row));
        const { name, description } = context.body;
        if (name !== undefined) {
          const cleaned = cleanName(name);
          await refuseTakenName(em, cleaned, row.workspaceId);
          row.name = cleaned;
        }
        if (description !== undefined) row.description = description;
        await em.flush();
        const answer = presentWorkspace(row);
        record({
          action: "workspace:update",
          entity: { type: "workspace", id: row.workspaceId, name: row.name },
          workspaceId: row.workspaceId,
          diff: diff(before, described(answer)),
        });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path: one,
    operationId: "deleteWorkspace",
    summary: "Deletes a workspace and everything below it; needs an owner",
    tag,
    access: { action: "workspace:delete", resource },
    problems: ["WORKSPACE_NOT_FOUND", "WORKSPACE_OWNER_REQUIRED", "VERSION_MISMATCH"],
    async handler(context) {
      await commit(context, async ({ em, record }) => {
        const row = await findRow(context, em);
        checkVersion(context.ifMatch, row);
        em.remove(row);
        record({
          action: "workspace:delete",
          entity: { type: "workspace", id: row.workspaceId, name: row.name },
          workspaceId: row.workspaceId,
        });
      });
    },
  }),
];

function presentWorkspace(row: Workspace) {
  return {
    workspaceId: row.workspaceId,
    name: row.name,
    description: row.description,
    ...trackedMembers(row),
  };
}

function described({ name, description }: { name: string; description: string | null }) {
  return { name, description };
}

type Em = ReturnType<RouteContext["services"]["database"]["em"]>;

async function findRow(context: Pick<RouteContext, "workspace">, em: Em): Promise<Workspace> {
  const row = await em.findOne(Workspace, { workspaceId: context.workspace.workspaceId });
  return row ?? (() => {
    throw absent();
  })();
}

async function refuseTakenName(em: Em, name: string, except?: string): Promise<void> {
  const rows = await em.find(Workspace, {}, { fields: ["workspaceId", "name"] });
  if (!rows.some((row) => row.workspaceId !== except && sameName(row.name, name))) return;
  throw new GatewayError(
    "WORKSPACE_ALREADY_EXISTS",
    `Cannot name the workspace "${name}": another one has that name`,
  );
}

function absent(): GatewayError {
  return new GatewayError("WORKSPACE_NOT_FOUND", "The workspace in the path does not exist");
}
