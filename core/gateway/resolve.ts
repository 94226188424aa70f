import { GatewayError, type JsonObject } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { nearest } from "../kit/nearest.ts";
import type { ConnectionView, EnvironmentView, ResourceView, SlotView } from "../store/snapshot.ts";
import type { Envelope } from "./envelope.ts";
import type { Caller } from "./identify.ts";
import { applyOverrides } from "./overrides.ts";

/** What `model` stands for: a resource, or a connection and a model named in one breath. */
export type Target =
  | { readonly kind: "resource"; readonly resource: ResourceView }
  | { readonly kind: "ad-hoc"; readonly connection: ConnectionView; readonly slot: SlotView };

/**
 * Finds the target of a request and checks that the caller may call it.
 *
 * Waits only for overrides, whose rules may need a plugin that is not active yet.
 *
 * Throws or rejects with `ad_hoc_not_allowed`, `overrides_not_allowed`, `invalid_request` or `EXPRESSION_INVALID` for
 * overrides that do not hold, `AI_RESOURCE_NOT_FOUND` or `API_KEY_RESOURCE_NOT_AUTHORIZED`.
 */
export function resolve(
  caller: Caller,
  model: string,
  envelope: Envelope,
  host: PluginHost,
): Target | Promise<Target> {
  const { environment } = caller;
  const slash = model.indexOf("/");
  const connection = slash > 0
    ? environment.connectionsByName.get(model.slice(0, slash).toLowerCase())
    : undefined;
  const overrides = envelope.resourceConfigOverrides as JsonObject | undefined;
  if (connection) {
    if (overrides) throw overridesWithoutResource();
    return adHoc(caller, connection, model.slice(slash + 1));
  }
  const stored = findResource(environment, model);
  if (!overrides) return callable(caller, stored, model);
  return applyOverrides(caller, stored, overrides, model, host)
    .then((resource) => callable(caller, resource, model));
}

function callable(caller: Caller, resource: ResourceView | undefined, model: string): Target {
  if (!resource) throw resourceNotFound(caller, model);
  if (!mayCall(caller, resource)) {
    throw new GatewayError(
      "API_KEY_RESOURCE_NOT_AUTHORIZED",
      `The API key may not call resource "${resource.name}"`,
      { param: "model" },
    );
  }
  return { kind: "resource", resource };
}

/** Enabled resources the caller may call, sorted by name. */
export function callableResources(caller: Caller): ResourceView[] {
  return [...caller.environment.resources.values()]
    .filter((resource) => resource.enabled && mayCall(caller, resource))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The access rule: a key may call a resource it is assigned to, or one without assigned keys unless it is
 * restricted to assigned ones. People are checked by their rights on the environment instead.
 */
export function mayCall(caller: Caller, resource: ResourceView): boolean {
  if (caller.kind === "user") return true;
  const { assignedApiKeys } = resource;
  if (assignedApiKeys.has(caller.apiKey.apiKeyId)) return true;
  return assignedApiKeys.size === 0 && !caller.apiKey.restrictToAssigned;
}

function overridesWithoutResource(): GatewayError {
  return new GatewayError(
    "invalid_request",
    "vmx.resourceConfigOverrides needs an AI resource: `<connection>/<model>` calls have none",
    { param: "vmx.resourceConfigOverrides" },
  );
}

function findResource(environment: EnvironmentView, name: string): ResourceView | undefined {
  const resource = environment.resourcesByName.get(name.toLowerCase());
  return resource?.enabled ? resource : undefined;
}

function adHoc(caller: Caller, connection: ConnectionView, model: string): Target {
  const allowed = caller.environment.settings.allowAdHoc &&
    (caller.kind === "user" || (caller.apiKey.allowAdHoc && !caller.apiKey.restrictToAssigned));
  if (!allowed) {
    throw new GatewayError(
      "ad_hoc_not_allowed",
      "The API key or its environment does not allow `<connection>/<model>` calls",
      { param: "model" },
    );
  }
  if (model === "") {
    throw new GatewayError("invalid_request", "The model behind the connection name is empty", {
      param: "model",
    });
  }
  return {
    kind: "ad-hoc",
    connection,
    slot: {
      connectionId: connection.connectionId,
      provider: connection.provider,
      model,
      maxRetries: 0,
      timeoutMs: null,
    },
  };
}

/** No resource has the name; the nearest of those the caller may call is told. */
export function resourceNotFound(caller: Caller, name: string): GatewayError {
  const known = callableResources(caller).map((resource) => resource.name);
  const near = sameBeginning(name, known) ?? nearest(name.slice(0, 128), known);
  return new GatewayError(
    "AI_RESOURCE_NOT_FOUND",
    `No AI resource is named "${name.slice(0, 128)}"` +
      (near === undefined ? ". GET /v1/models lists those there are" : `; did you mean "${near}"?`),
    { param: "model" },
  );
}

function sameBeginning(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  return known.find((candidate) => {
    const other = candidate.toLowerCase();
    return wanted.length > 2 && (other.startsWith(wanted) || wanted.startsWith(other));
  });
}
