import {
  AiConnection as AiConnectionSchema,
  AiConnectionCreate,
  AiConnectionPatch,
  listOf,
  nameQuery,
  usersQuery,
} from "@vmx/schemas";
import Type from "typebox";
import { secretPaths, valueAt } from "../host/configuration-schema.ts";
import { AiConnection, AiResource } from "../store/entities/index.ts";
import { completeCapacity } from "./capacity.ts";
import { commit } from "./commit.ts";
import { checkConfig, schemaOf, sealConfig } from "./connection-config.ts";
import { environmentPath } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers } from "./present.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";
import { detachRoutes, referencesTo } from "../gateway/slots.ts";
import {
  activityOf,
  described,
  findConnectionItem,
  findRow,
  inUse,
  type Loaded,
  presentConnection,
  refuseTakenName,
} from "./ai-connection-rows.ts";

const list = `${environmentPath}/ai-connections`;
/** Path of one connection. */
export const connectionPath = `${list}/{connectionId}`;
const tag = "AI connections";
const base = "workspace:{w}:environment:{e}:ai-connection";
/** Access to one connection. */
export const connectionItem = { resource: `${base}:{item}`, item: findConnectionItem };

const configProblems = [
  "AI_PROVIDER_NOT_FOUND",
  "AI_CONNECTION_CONFIG_INVALID",
  "EGRESS_REFUSED",
  "ENCRYPTION_UNAVAILABLE",
] as const;
const nameProblems = ["AI_CONNECTION_ALREADY_EXISTS", "NAME_CONFLICT"] as const;

/** Operations that read and change connections. */
export const aiConnectionRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listAiConnections",
    summary: "Lists the connections of an environment",
    tag,
    access: { action: "ai-connection:list", resource: base },
    query: Type.Object({ ...nameQuery, ...usersQuery }, { additionalProperties: false }),
    answer: listOf(AiConnectionSchema),
    problems: ["ENVIRONMENT_NOT_FOUND"],
    async handler({ query, services, environment }) {
      const em = services.database.em();
      const { environmentId } = environment;
      const rows = await em.find(AiConnection, { environmentId }, {
        orderBy: { createdAt: "desc", connectionId: "desc" },
      });
      const answers = rows
        .filter(({ name }) => query.name === undefined || sameName(name, query.name))
        .map((row) => presentConnection(row, environment.workspaceId, services));
      return { data: await addUsers(em, answers, query.includesUsers) };
    },
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "createAiConnection",
    summary: "Creates a connection; its secrets are sealed and never shown again",
    tag,
    access: { action: "ai-connection:create", resource: base },
    body: AiConnectionCreate,
    answer: AiConnectionSchema,
    problems: ["ENVIRONMENT_NOT_FOUND", ...configProblems, ...nameProblems],
    async handler(context) {
      const { body, services } = context;
      const { environmentId, workspaceId } = context.environment;
      const connectionId = crypto.randomUUID();
      const capacity = completeCapacity(body.capacity ?? []);
      const checked = checkConfig(services.host, services.egress, {
        provider: body.provider,
        config: body.config,
      }, undefined);
      const config = await sealConfig(checked, await services.encryption(), {
        environmentId,
        connectionId,
      });
      return await commit(context, async ({ em, record }) => {
        const name = cleanName(body.name);
        await refuseTakenName(em, environmentId, name);
        const row = em.create(AiConnection, {
          connectionId,
          environmentId,
          name,
          description: body.description ?? null,
          provider: checked.contribution.id,
          config: { ...config },
          allowedModels: body.allowedModels ?? [],
          capacity,
          enabled: body.enabled ?? true,
        });
        await em.flush();
        const answer = presentConnection(row, workspaceId, services);
        record({
          ...activityOf("ai-connection:create", row, workspaceId),
          diff: diff({}, described(answer)),
        });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: connectionPath,
    operationId: "getAiConnection",
    summary: "Reads a connection; secrets read as asterisks",
    tag,
    access: { action: "ai-connection:get", ...connectionItem },
    query: Type.Object(usersQuery, { additionalProperties: false }),
    answer: AiConnectionSchema,
    problems: ["AI_CONNECTION_NOT_FOUND"],
    async handler({ query, services, environment, item: { row } }) {
      const answers = [presentConnection(row, environment.workspaceId, services)];
      return (await addUsers(services.database.em(), answers, query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: connectionPath,
    operationId: "updateAiConnection",
    summary: "Changes a connection; a secret that is absent or only asterisks stays as stored",
    tag,
    access: { action: "ai-connection:update", ...connectionItem },
    body: AiConnectionPatch,
    answer: AiConnectionSchema,
    problems: [
      "AI_CONNECTION_NOT_FOUND",
      "CONNECTION_IN_USE",
      "VERSION_MISMATCH",
      ...configProblems,
      ...nameProblems,
    ],
    handler: (context) => updateConnection(context),
  }),

  defineRoute({
    method: "DELETE",
    path: connectionPath,
    operationId: "deleteAiConnection",
    summary:
      "Deletes a connection; `detach` takes it out of fallback, secondary and routing slots first",
    tag,
    access: { action: "ai-connection:delete", ...connectionItem },
    query: Type.Object({
      detach: Type.Optional(Type.Boolean()),
    }, { additionalProperties: false }),
    problems: ["AI_CONNECTION_NOT_FOUND", "CONNECTION_IN_USE", "VERSION_MISMATCH"],
    async handler(context) {
      const { environmentId, workspaceId } = context.environment;
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, environmentId, context.item.id);
        checkVersion(context.ifMatch, row);
        const resources = await em.find(AiResource, { environmentId });
        const references = referencesTo(row.connectionId, resources);
        const primary = references.filter(({ slot }) => slot === "model");
        if (primary.length > 0) throw inUse(row, primary);
        if (references.length > 0 && !context.query.detach) throw inUse(row, references);
        for (const resource of resources) {
          const stays = ({ connectionId }: { connectionId: string }) =>
            connectionId !== row.connectionId;
          if (!referencesTo(row.connectionId, [resource]).length) continue;
          resource.secondaryModels = resource.secondaryModels.filter(stays);
          resource.fallbackModels = resource.fallbackModels.filter(stays);
          resource.routing &&= detachRoutes(resource.routing, row.connectionId);
        }
        em.remove(row);
        record(activityOf("ai-connection:delete", row, workspaceId));
      });
    },
  }),
];

type UpdateContext = RouteContext<unknown, AiConnectionPatch, Loaded>;

/** Sealing can take a while, so it happens before the transaction; a row that moved meanwhile is read again. */
async function updateConnection(context: UpdateContext): Promise<unknown> {
  const { body, services } = context;
  const { environmentId, workspaceId } = context.environment;
  for (let attempt = 0;; attempt++) {
    const known = attempt === 0
      ? context.item.row
      : await findRow(services.database.em(), environmentId, context.item.id);
    checkVersion(context.ifMatch, known);
    const prepared = body.config === undefined && body.provider === undefined
      ? undefined
      : await prepareConfig(context, known);
    const answer = await commit(context, async ({ em, record }) => {
      const row = await findRow(em, environmentId, known.connectionId);
      if (row.version !== known.version && prepared && attempt < 5) return undefined;
      checkVersion(context.ifMatch, row);
      const before = described(presentConnection(row, workspaceId, services));
      if (prepared) {
        if (prepared.provider !== row.provider) {
          const resources = await em.find(AiResource, { environmentId });
          const references = referencesTo(row.connectionId, resources);
          if (references.length > 0) throw inUse(row, references);
        }
        row.provider = prepared.provider;
        row.config = { ...prepared.config };
      }
      if (body.name !== undefined) {
        const name = cleanName(body.name);
        await refuseTakenName(em, environmentId, name, row.connectionId);
        row.name = name;
      }
      if (body.description !== undefined) row.description = body.description;
      if (body.allowedModels !== undefined) row.allowedModels = body.allowedModels ?? [];
      if (body.capacity !== undefined) row.capacity = completeCapacity(body.capacity ?? []);
      if (body.enabled !== undefined) row.enabled = body.enabled ?? true;
      const secretsChanged = prepared?.secretsChanged ?? [];
      await em.flush();
      const after = presentConnection(row, workspaceId, services);
      record({
        ...activityOf("ai-connection:update", row, workspaceId),
        diff: [
          ...diff(before, described(after)),
          ...secretsChanged.map((path) => ({
            op: "replace" as const,
            path: `/config/${path}`,
            value: "changed",
          })),
        ],
      });
      return after;
    });
    if (answer !== undefined) return answer;
  }
}

async function prepareConfig({ body, services }: UpdateContext, row: AiConnection) {
  const checked = checkConfig(services.host, services.egress, {
    provider: body.provider ?? row.provider,
    config: body.config,
  }, row);
  const config = await sealConfig(checked, await services.encryption(), row);
  const secretsChanged = secretPaths(schemaOf(checked.contribution), config)
    .filter((path) => valueAt(config, path) !== valueAt(row.config, path));
  return { provider: checked.contribution.id, config, secretsChanged };
}
