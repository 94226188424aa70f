import {
  PoolDefinition as PoolDefinitionSchema,
  PoolDefinitionPatch,
  PoolDefinitionPut,
  usersQuery,
} from "@vmx/schemas";
import Type from "typebox";
import { PoolDefinition } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { environmentPath } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { acceptPools, findPools, poolActivity, presentPools } from "./pool-definition-rows.ts";
import { addUsers } from "./present.ts";
import { defineRoute, type Route } from "./route.ts";

const path = `${environmentPath}/pool-definition`;
const tag = "Prioritization";
const resource = "workspace:{w}:environment:{e}:pool-definition";

/** Operations on the pools of an environment. */
export const poolDefinitionRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path,
    operationId: "getPoolDefinition",
    summary: "Reads the pools of an environment",
    tag,
    access: { action: "pool-definition:get", resource },
    query: Type.Object(usersQuery, { additionalProperties: false }),
    answer: PoolDefinitionSchema,
    problems: ["ENVIRONMENT_NOT_FOUND", "POOL_DEFINITION_NOT_FOUND"],
    async handler({ query, services, environment }) {
      const em = services.database.em();
      const row = await findPools(em, environment.environmentId);
      const answers = [presentPools(row, environment.workspaceId)];
      return (await addUsers(em, answers, query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PUT",
    path,
    operationId: "putPoolDefinition",
    summary: "Creates or replaces the pools of an environment",
    tag,
    access: { action: "pool-definition:update", resource },
    body: PoolDefinitionPut,
    answer: PoolDefinitionSchema,
    problems: ["ENVIRONMENT_NOT_FOUND", "POOL_DEFINITION_INVALID", "VERSION_MISMATCH"],
    handler(context) {
      const { environment } = context;
      const { environmentId, workspaceId } = environment;
      return commit(context, async ({ em, record }) => {
        let row = await em.findOne(PoolDefinition, { environmentId });
        // A version of what is not there matches nothing; `*` asks for something to be there.
        if (row) checkVersion(context.ifMatch, row);
        else if (context.ifMatch) await findPools(em, environmentId);
        const definition = await acceptPools(em, environmentId, context.body.definition);
        const before = row?.definition ?? [];
        if (row) row.definition = definition;
        else row = em.create(PoolDefinition, { environmentId, definition });
        await em.flush();
        record(poolActivity("pool-definition:update", environment, before, definition));
        return presentPools(row, workspaceId);
      });
    },
  }),

  defineRoute({
    method: "PATCH",
    path,
    operationId: "updatePoolDefinition",
    summary: "Changes the pools of an environment; a list replaces the whole list",
    tag,
    access: { action: "pool-definition:update", resource },
    body: PoolDefinitionPatch,
    answer: PoolDefinitionSchema,
    problems: [
      "ENVIRONMENT_NOT_FOUND",
      "POOL_DEFINITION_NOT_FOUND",
      "POOL_DEFINITION_INVALID",
      "VERSION_MISMATCH",
    ],
    handler(context) {
      const { environment, body } = context;
      const { environmentId, workspaceId } = environment;
      return commit(context, async ({ em, record }) => {
        const row = await findPools(em, environmentId);
        checkVersion(context.ifMatch, row);
        const before = row.definition;
        if (body.definition !== undefined) {
          row.definition = await acceptPools(em, environmentId, body.definition ?? []);
        }
        await em.flush();
        record(poolActivity("pool-definition:update", environment, before, row.definition));
        return presentPools(row, workspaceId);
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path,
    operationId: "deletePoolDefinition",
    summary: "Deletes the pools of an environment; nothing is prioritized any more",
    tag,
    access: { action: "pool-definition:delete", resource },
    problems: ["ENVIRONMENT_NOT_FOUND", "POOL_DEFINITION_NOT_FOUND", "VERSION_MISMATCH"],
    async handler(context) {
      const { environment } = context;
      await commit(context, async ({ em, record }) => {
        const row = await findPools(em, environment.environmentId);
        checkVersion(context.ifMatch, row);
        em.remove(row);
        record(poolActivity("pool-definition:delete", environment, row.definition, []));
      });
    },
  }),
];
