import type { RouteTestRequest } from "@vmx/schemas";
import type { JsonObject } from "../contract/index.ts";
import { type Fault, GatewayError } from "../contract/errors.ts";
import type { DryRunRequest } from "../gateway/dry-run.ts";
import type { Caller } from "../gateway/identify.ts";
import type { RoutingAssumptions } from "../gateway/router.ts";
import { slotsOf } from "../gateway/slots.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { AiConnection } from "../store/entities/index.ts";
import type { EnvironmentView, ResourceView } from "../store/snapshot.ts";
import { changedFields, newFields } from "./ai-resource-fields.ts";
import { authorizeConnections, refuseTakenName } from "./ai-resource-rows.ts";
import { cleanName } from "./field.ts";
import type { RouteContext } from "./route.ts";
import type { CompleteRouteTest } from "./stored-sample.ts";

type Context = RouteContext<unknown, RouteTestRequest>;

/** The id under which a resource is tried out that is not stored. */
export const draftId = "draft";

/**
 * The resource as it is to be tried out: the stored one with the edit merged over it, or a draft. It counts as
 * enabled, because it is tried out before it goes live.
 *
 * Rejects as saving it would.
 */
export async function triedResource(
  context: Context,
  stored: ResourceView | undefined,
): Promise<ResourceView> {
  const edit = context.body.resource;
  if (stored && !edit) return { ...stored, enabled: true };
  const { environment: { environmentId }, services } = context;
  const em = services.database.em();
  const connections = await em.find(AiConnection, { environmentId });
  const name = edit?.name === undefined ? undefined : cleanName(edit.name);
  if (name !== undefined) {
    await refuseTakenName(em, environmentId, name, connections, stored?.resourceId);
  }
  const fields =
    await (stored
      ? changedFields(stored, edit!, connections, services.host)
      : newFields(complete(edit), connections, services.host)).catch(insideBody);
  const resource = {
    ...stored ?? newDraft(environmentId),
    ...fields,
    ...(name === undefined ? {} : { name }),
    ...(edit?.assignApiKeys ? { assignedApiKeys: new Set(edit.assignApiKeys) } : {}),
    enabled: true,
    // A draft has a model by now.
  } as ResourceView;
  const sent = slotsOf(resource).filter(({ slot }) => Object.hasOwn(edit!, memberOf(slot)));
  authorizeConnections(context, sent, connections);
  return resource;
}

/** The dry run of a request to the resource. Throws `VALIDATION_FAILED` or `API_KEY_NOT_FOUND`. */
export function dryRunRequest(
  context: Context,
  asked: CompleteRouteTest,
  resource: ResourceView,
): DryRunRequest {
  const { services, sourceIp } = context;
  const { assume = {}, dialect, operation = "chat" } = asked;
  refuseUnspoken(dialect, operation, services.host);
  return {
    caller: callerOf(context, asked, withResource(context.environment, resource)),
    endpoint: { dialect, operation, name: "ROUTE_TEST" },
    body: { ...asked.body as JsonObject, model: resource.name },
    headers: Object.fromEntries(
      Object.entries(asked.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    sourceIp: asked.sourceIp ?? sourceIp,
    now: assume.now === undefined ? undefined : Date.parse(assume.now),
    assumptions: {
      live: liveValues(assume),
      evaluateAll: asked.evaluateAll,
      tracesAll: true,
      ...(assume.draws ? { draws: assume.draws } : {}),
    },
  };
}

function newDraft(environmentId: string) {
  return {
    resourceId: draftId,
    environmentId,
    name: draftId,
    assignedApiKeys: new Set<string>(),
    createdAt: new Date(0),
    version: 0,
  };
}

function complete(edit: RouteTestRequest["resource"]): Parameters<typeof newFields>[0] {
  const model = edit?.model;
  if (model?.model) return { ...edit, model };
  throw invalid("/resource/model", "a draft needs a model");
}

function liveValues(
  { capacityUsage, errorRate, latency }: NonNullable<RouteTestRequest["assume"]>,
): NonNullable<RoutingAssumptions["live"]> {
  return {
    ...(errorRate === undefined ? {} : { errorRate: () => errorRate }),
    ...(capacityUsage === undefined ? {} : {
      capacityUsage: () => capacityUsage as JsonObject | null,
    }),
    ...(latency === undefined ? {} : { latency: () => latency }),
  };
}

/** The environment as it would be with the resource saved. */
function withResource(environment: EnvironmentView, resource: ResourceView): EnvironmentView {
  const others = [...environment.resources.values()]
    .filter(({ resourceId }) => resourceId !== resource.resourceId);
  const all = [...others, resource];
  return {
    ...environment,
    resources: new Map(all.map((view) => [view.resourceId, view])),
    resourcesByName: new Map(all.map((view) => [view.name.toLowerCase(), view])),
  };
}

function callerOf(
  { principal, snapshot }: Context,
  { apiKeyId }: CompleteRouteTest,
  environment: EnvironmentView,
): Caller {
  if (apiKeyId === undefined) return { kind: "user", userId: principal.user.userId, environment };
  const apiKey = [...snapshot.apiKeysByHash.values()].find((key) =>
    key.apiKeyId === apiKeyId && key.environmentId === environment.environmentId && !key.validUntil
  );
  if (apiKey) return { kind: "api-key", apiKey, environment };
  const message = "no API key of the environment has this id";
  throw new GatewayError("API_KEY_NOT_FOUND", `Cannot ask as the API key: ${message}`, {
    faults: [{ path: "/apiKeyId", code: "API_KEY_NOT_FOUND", message }],
  });
}

/** Refuses a dialect or operation callers cannot ask in. */
function refuseUnspoken(dialect: string, operation: string, host: PluginHost): void {
  const spoken = host.contributions("dialects").filter(({ entry }) => entry["inbound"]);
  const found = spoken.find(({ id }) => id === dialect);
  if (!found) {
    const known = spoken.map(({ id }) => id).join(", ");
    throw invalid("/dialect", `"${dialect}" is none that callers speak: ${known}`);
  }
  const { routes } = found.entry["inbound"] as { routes: { operation: string }[] };
  if (routes.some((route) => route.operation === operation)) return;
  throw invalid("/operation", `"${operation}" cannot be asked for in dialect "${dialect}"`);
}

/** Faults of a resource stand below it in the body of a dry run. */
function insideBody(error: unknown): never {
  if (!(error instanceof GatewayError) || !error.faults) throw error;
  throw new GatewayError(error.code, error.message, {
    cause: error,
    faults: error.faults.map((fault) => ({ ...fault, path: `/resource${fault.path}` })),
  });
}

/** The member of the resource a slot stands in. */
function memberOf(slot: string): string {
  return /^\w+/.exec(slot)![0];
}

function invalid(path: string, message: string): GatewayError {
  const faults: Fault[] = [{ path, code: "VALIDATION_FAILED", message }];
  const place = path.slice(1).replaceAll("/", ".");
  return new GatewayError("VALIDATION_FAILED", `Cannot try the route: ${place}: ${message}`, {
    faults,
  });
}
