import { CapacityReset, LimitedLevel, LiveCapacity, Uuid } from "@vmx/schemas";
import Type from "typebox";
import { GatewayError } from "../contract/errors.ts";
import { change } from "../store/change.ts";
import type { EnvironmentView, Snapshot } from "../store/snapshot.ts";
import { environmentPath } from "./environments.ts";
import { EventStream } from "./event-stream.ts";
import { defineRoute, type Route } from "./route.ts";

const tag = "Capacity";
const resource = "workspace:{w}:environment:{e}:capacity";

/** Operations on what is used of limits. */
export const liveCapacityRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: `${environmentPath}/capacity`,
    operationId: "getCapacity",
    summary: "Reads the limits of an environment with what is used of them, or follows them",
    tag,
    access: { action: "capacity:get", resource },
    query: Type.Object({
      level: Type.Optional(LimitedLevel),
      subjectId: Type.Optional(Uuid),
    }, { additionalProperties: false }),
    answer: LiveCapacity,
    events: LiveCapacity,
    problems: ["ENVIRONMENT_NOT_FOUND"],
    handler({ query, services, environment, snapshot, wantsEvents }) {
      const { live } = services.capacity;
      if (!wantsEvents) return live.read(snapshot, environment, query);
      const current = () => {
        const now = services.loader.current();
        return { snapshot: now, environment: now.environments.get(environment.environmentId) };
      };
      return new EventStream(async function* (signal) {
        for await (const data of live.follow(current, query, signal)) {
          yield { event: "capacity", data };
        }
      });
    },
  }),

  defineRoute({
    method: "POST",
    path: `${environmentPath}/capacity/reset`,
    operationId: "resetCapacity",
    summary: "Forgets the counters of one subject and period; running requests leave it alone",
    tag,
    access: { action: "capacity:reset", resource },
    body: CapacityReset,
    problems: [
      "ENVIRONMENT_NOT_FOUND",
      "AI_CONNECTION_NOT_FOUND",
      "AI_RESOURCE_NOT_FOUND",
      "API_KEY_NOT_FOUND",
      "COMPLETION_BATCH_NOT_FOUND",
      "capacity_store_unavailable",
    ],
    async handler({ body, services, environment, snapshot, workspace, actor }) {
      const { environmentId } = environment;
      const name = nameOf(body, snapshot, environment);
      const isReset = await services.capacity.admission.store.ask(async (store) => {
        await store.reset(environmentId, body);
        return true;
      });
      if (!isReset) {
        throw new GatewayError(
          "capacity_store_unavailable",
          "Cannot reset the counters: the capacity store does not answer",
        );
      }
      // The copy would bring the counters back after a restart.
      await services.capacity.copy(environmentId);
      await change(services.database, actor, ({ record }) => {
        record({
          action: "capacity:reset",
          entity: { type: body.level, id: body.subjectId, name: `${name} (${body.period})` },
          workspaceId: workspace.workspaceId,
          environmentId,
        });
        return Promise.resolve();
      });
    },
  }),
];

/** Name of the subject. Throws its `..._NOT_FOUND`. */
function nameOf(
  { level, subjectId }: CapacityReset,
  snapshot: Snapshot,
  { connections, resources, environmentId }: EnvironmentView,
): string {
  if (level === "connection") {
    const found = connections.get(subjectId);
    if (found) return found.name;
    throw new GatewayError("AI_CONNECTION_NOT_FOUND", "No AI connection has the id in subjectId");
  }
  if (level === "resource") {
    const found = resources.get(subjectId);
    if (found) return found.name;
    throw new GatewayError("AI_RESOURCE_NOT_FOUND", "No AI resource has the id in subjectId");
  }
  if (level === "api-key") {
    for (const key of snapshot.apiKeysByHash.values()) {
      if (key.apiKeyId === subjectId && key.environmentId === environmentId) return key.name;
    }
    throw new GatewayError("API_KEY_NOT_FOUND", "No API key has the id in subjectId");
  }
  throw new GatewayError("COMPLETION_BATCH_NOT_FOUND", "No batch has the id in subjectId");
}
