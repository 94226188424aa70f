import {
  AiConnectionTestRequest,
  ConnectionModels,
  ConnectionReference,
  ConnectionTestResult,
  listOf,
  SavedConnectionTestRequest,
} from "@vmx/schemas";
import Type from "typebox";
import { compilePattern } from "../access/pattern.ts";
import { AiConnection, AiResource } from "../store/entities/index.ts";
import type { ProviderConnection } from "../contract/provider.ts";
import { connectionItem, connectionPath } from "./ai-connections.ts";
import { checkConfig, type CheckedConfig, openConfig } from "./connection-config.ts";
import { listModels, testConnection } from "./connection-test.ts";
import { environmentPath } from "./environments.ts";
import { defineRoute, type Route } from "./route.ts";
import type { HandlerServices } from "./services.ts";
import { referencesTo } from "../gateway/slots.ts";

const tag = "AI connections";
const cacheMs = 10 * 60_000;
const mostCached = 1000;

/** Operations that look into connections: tests, models, references. */
export function createConnectionProbeRoutes(): readonly Route[] {
  const modelLists = new Map<
    string,
    { readonly readAt: number; readonly ids: readonly string[] }
  >();

  async function modelsOf(
    row: AiConnection,
    connection: () => Promise<ProviderConnection>,
    services: HandlerServices,
  ): Promise<readonly string[] | undefined> {
    const key = `${row.connectionId} ${row.version}`;
    const now = services.clock.now();
    const known = modelLists.get(key);
    if (known && now - known.readAt < cacheMs) return known.ids;
    const ids = await listModels(services, row.provider, await connection());
    if (!ids) return undefined;
    modelLists.delete(key);
    modelLists.set(key, { readAt: now, ids });
    if (modelLists.size > mostCached) modelLists.delete(modelLists.keys().next().value!);
    return ids;
  }

  return [
    defineRoute({
      method: "GET",
      path: `${connectionPath}/references`,
      operationId: "listAiConnectionReferences",
      summary: "Lists the model slots that use a connection",
      tag,
      access: { action: "ai-connection:get", ...connectionItem },
      answer: listOf(ConnectionReference),
      problems: ["AI_CONNECTION_NOT_FOUND"],
      async handler({ services, environment: { environmentId }, item }) {
        const resources = await services.database.em().find(AiResource, { environmentId });
        return { data: referencesTo(item.id, resources) };
      },
    }),

    defineRoute({
      method: "POST",
      path: `${environmentPath}/ai-connections/test`,
      operationId: "testAiConnectionConfig",
      summary: "Tests a configuration before it is saved",
      tag,
      access: {
        action: "ai-connection:create",
        resource: "workspace:{w}:environment:{e}:ai-connection",
      },
      body: AiConnectionTestRequest,
      answer: ConnectionTestResult,
      status: 200,
      problems: ["AI_PROVIDER_NOT_FOUND", "AI_CONNECTION_CONFIG_INVALID", "EGRESS_REFUSED"],
      async handler({ body, services, environment }) {
        const checked = checkConfig(services.host, services.egress, {
          provider: body.provider,
          config: body.config,
        }, undefined);
        const connectionId = crypto.randomUUID();
        const place = { ...environment, connectionId, name: "test" };
        const connection = await toConnection(checked, place, services);
        return testConnection(services, checked.contribution.id, connection, body.model);
      },
    }),

    defineRoute({
      method: "POST",
      path: `${connectionPath}/test`,
      operationId: "testAiConnection",
      summary: "Tests a connection, with unsaved changes if there are any",
      tag,
      access: { action: "ai-connection:update", ...connectionItem },
      body: SavedConnectionTestRequest,
      bodyOptional: true,
      answer: ConnectionTestResult,
      status: 200,
      problems: [
        "AI_CONNECTION_NOT_FOUND",
        "AI_PROVIDER_NOT_FOUND",
        "AI_CONNECTION_CONFIG_INVALID",
        "EGRESS_REFUSED",
        "ENCRYPTION_UNAVAILABLE",
      ],
      async handler({ body, services, environment, item: { row } }) {
        const checked = checkConfig(services.host, services.egress, {
          provider: body.provider ?? row.provider,
          config: body.config,
        }, row);
        const place = { ...environment, connectionId: row.connectionId, name: row.name };
        const connection = await toConnection(checked, place, services);
        const result = await testConnection(
          services,
          checked.contribution.id,
          connection,
          body.model,
        );
        if (body.provider === undefined && body.config === undefined) {
          const { ok, latencyMs, message } = result;
          await services.database.em().nativeUpdate(
            AiConnection,
            { connectionId: row.connectionId },
            {
              lastTest: {
                at: new Date(services.clock.now()).toISOString(),
                ok,
                latencyMs,
                ...(message === undefined ? {} : { message }),
              },
            },
          );
        }
        return result;
      },
    }),

    defineRoute({
      method: "GET",
      path: `${connectionPath}/models`,
      operationId: "listAiConnectionModels",
      summary: "Lists the models of a connection's provider, or its allowed models",
      tag,
      access: { action: "ai-connection:get", ...connectionItem },
      query: Type.Object({
        q: Type.Optional(Type.String({ maxLength: 256, description: "Part of the model's id" })),
      }, { additionalProperties: false }),
      answer: ConnectionModels,
      problems: ["AI_CONNECTION_NOT_FOUND", "AI_PROVIDER_NOT_FOUND", "upstream_error"],
      async handler({ query, services, environment, item: { row } }) {
        const connect = () => {
          const stored = { provider: row.provider, config: undefined };
          const checked = checkConfig(services.host, services.egress, stored, row);
          const place = { ...environment, connectionId: row.connectionId, name: row.name };
          return toConnection(checked, place, services);
        };
        const allowed = row.allowedModels.map(compilePattern);
        const listed = await modelsOf(row, connect, services).catch((error: unknown) => {
          if (allowed.length === 0) throw error;
          return undefined;
        });
        const ids = listed ?? row.allowedModels.filter((entry) => !/[*?]/.test(entry));
        const wanted = query.q?.toLowerCase() ?? "";
        return {
          data: ids.filter((id) => id.toLowerCase().includes(wanted)).map((id) => ({
            id,
            allowed: allowed.length === 0 || allowed.some((matches) => matches(id)),
          })),
          source: listed ? "provider" : "allowedModels",
        };
      },
    }),
  ];
}

async function toConnection(
  checked: CheckedConfig,
  { connectionId, name, workspaceId, environmentId }: Omit<ProviderConnection, "config">,
  { encryption }: HandlerServices,
): Promise<ProviderConnection> {
  const place = { connectionId, environmentId };
  const config = await openConfig(checked, encryption, place);
  return { connectionId, name, workspaceId, environmentId, config };
}
