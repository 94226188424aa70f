import {
  listOf,
  WorkspaceMember as WorkspaceMemberSchema,
  WorkspaceMemberPatch,
  WorkspaceMembersAdd,
} from "@vmx/schemas";
import { maySeeWorkspace } from "../access/authorize.ts";
import { GatewayError } from "../contract/errors.ts";
import { User, WorkspaceMember } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { isUuid } from "./field.ts";
import { timestamp } from "./present.ts";
import { findUsers } from "./role-members.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";
import { refuseLastOwner } from "./user-rules.ts";

const list = "/api/v1/workspaces/{workspaceId}/members";
const one = `${list}/{userId}`;
const tag = "Workspaces";
const resource = "workspace:{w}";

/** Operations on the members of a workspace. */
export const workspaceMemberRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listWorkspaceMembers",
    summary: "Lists the members of a workspace",
    tag,
    access: { action: "workspace:get-members", resource },
    answer: listOf(WorkspaceMemberSchema),
    problems: ["WORKSPACE_NOT_FOUND"],
    async handler({ services, workspace }) {
      const em = services.database.em();
      const rows = await em.find(WorkspaceMember, { workspaceId: workspace.workspaceId }, {
        orderBy: { addedAt: "desc", userId: "desc" },
      });
      return { data: await presentMembers(em, rows) };
    },
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "addWorkspaceMembers",
    summary: "Makes users members of a workspace; who is one already stays what they are",
    tag,
    access: { action: "workspace:assign", resource },
    body: WorkspaceMembersAdd,
    answer: listOf(WorkspaceMemberSchema),
    problems: [
      "WORKSPACE_NOT_FOUND",
      "WORKSPACE_OWNER_REQUIRED",
      "USER_NOT_FOUND",
      "PRIVILEGE_ESCALATION",
    ],
    handler(context) {
      const { body, workspace, principal } = context;
      return commit(context, async ({ em, record }) => {
        const { workspaceId } = workspace;
        const users = await findUsers(em, body.userIds);
        const present = await em.find(WorkspaceMember, {
          workspaceId,
          userId: { $in: [...body.userIds] },
        });
        const known = new Set(present.map(({ userId }) => userId));
        const added = users.filter(({ userId }) => !known.has(userId)).map(({ userId }) => {
          refuseRaisingOneself(context, userId);
          const addedBy = principal.user.userId;
          return em.create(WorkspaceMember, { workspaceId, userId, role: body.role, addedBy });
        });
        await em.flush();
        if (added.length > 0) {
          record({
            ...activityOf("workspace:assign", context),
            diff: added.map(({ userId, role }) => ({
              op: "add",
              path: `/members/${userId}`,
              value: role,
            })),
          });
        }
        return { data: await presentMembers(em, [...present, ...added]) };
      });
    },
  }),

  defineRoute({
    method: "PATCH",
    path: one,
    operationId: "updateWorkspaceMember",
    summary: "Changes the role of a member; the last owner stays one",
    tag,
    access: { action: "workspace:update-member-role", resource },
    body: WorkspaceMemberPatch,
    answer: WorkspaceMemberSchema,
    problems: [
      "WORKSPACE_NOT_FOUND",
      "WORKSPACE_OWNER_REQUIRED",
      "USER_NOT_FOUND",
      "LAST_OWNER",
      "PRIVILEGE_ESCALATION",
    ],
    handler(context) {
      return commit(context, async ({ em, record }) => {
        const row = await findRow(em, context);
        const role = context.body.role ?? row.role;
        if (row.role !== role) {
          if (role === "OWNER") refuseRaisingOneself(context, row.userId);
          else await refuseLastOwner(em, row.userId, lastOwnerOptions(context));
          row.role = role;
          await em.flush();
          record({
            ...activityOf("workspace:update-member-role", context),
            diff: [{ op: "replace", path: `/members/${row.userId}`, value: role }],
          });
        }
        return (await presentMembers(em, [row]))[0];
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path: one,
    operationId: "removeWorkspaceMember",
    summary: "Ends a membership; the last owner stays",
    tag,
    access: { action: "workspace:unassign", resource },
    problems: ["WORKSPACE_NOT_FOUND", "WORKSPACE_OWNER_REQUIRED", "USER_NOT_FOUND", "LAST_OWNER"],
    async handler(context) {
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, context);
        await refuseLastOwner(em, row.userId, lastOwnerOptions(context));
        em.remove(row);
        record({
          ...activityOf("workspace:unassign", context),
          diff: [{ op: "remove", path: `/members/${row.userId}` }],
        });
      });
    },
  }),
];

type Em = ReturnType<RouteContext["services"]["database"]["em"]>;

async function presentMembers(em: Em, rows: readonly WorkspaceMember[]) {
  const users = await em.find(User, { userId: { $in: rows.map(({ userId }) => userId) } });
  const byId = new Map(users.map((user) => [user.userId, user]));
  return rows.map(({ workspaceId, userId, role, addedAt, addedBy }) => ({
    workspaceId,
    userId,
    name: byId.get(userId)?.name ?? "",
    email: byId.get(userId)?.email ?? "",
    role,
    addedAt: timestamp(addedAt),
    addedBy,
  }));
}

/** An absent user and one who is no member are answered alike: who is not in here is nobody's business. */
async function findRow(
  em: Em,
  { params, workspace }: Pick<RouteContext, "params" | "workspace">,
): Promise<WorkspaceMember> {
  const { userId } = params;
  const { workspaceId } = workspace;
  const row = isUuid(userId) ? await em.findOne(WorkspaceMember, { workspaceId, userId }) : null;
  if (row) return row;
  throw new GatewayError("USER_NOT_FOUND", "The user in the path is no member of the workspace");
}

/** Nobody raises their own membership, from none either: others decide who belongs. */
function refuseRaisingOneself({ principal }: Pick<RouteContext, "principal">, userId: string) {
  if (userId !== principal.user.userId) return;
  throw new GatewayError(
    "PRIVILEGE_ESCALATION",
    "Cannot raise one's own membership: an owner has to do it",
  );
}

function lastOwnerOptions({ snapshot, principal, workspace }: RouteContext) {
  return {
    workspaceId: workspace.workspaceId,
    maySee: (workspaceId: string) => maySeeWorkspace(snapshot, principal, workspaceId),
  };
}

function activityOf(action: string, { workspace }: Pick<RouteContext, "workspace">) {
  const { workspaceId, name } = workspace;
  return { action, entity: { type: "workspace", id: workspaceId, name }, workspaceId };
}
