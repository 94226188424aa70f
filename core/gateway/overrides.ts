import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { AiResourceOverrides } from "@vmx/schemas";
import { GatewayError, type JsonObject } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { mergeObjects } from "../kit/index.ts";
import type { ResourceView } from "../store/snapshot.ts";
import { acceptRouting } from "./accept-routing.ts";
import { refuseReserved } from "./envelope.ts";
import type { Caller } from "./identify.ts";
import { mergeSlot, type ResolvedSlots, resolveSlots } from "./slots.ts";

/** Id of resources that exist for one request only. */
export const ephemeralId = "ephemeral";

const place = "vmx.resourceConfigOverrides";
let compiled: ValidateFunction<AiResourceOverrides> | undefined;

/** The check of overrides, compiled when the first request brings some. */
function validator(): ValidateFunction<AiResourceOverrides> {
  if (compiled) return compiled;
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  return compiled = ajv.compile(AiResourceOverrides);
}

/**
 * A resource with a request's overrides merged over it: objects deeply, arrays and scalars replaced. Without a stored
 * resource the overrides make one for this request, if they name a model. Limits can be added, never taken away.
 *
 * Rejects with `overrides_not_allowed`, `invalid_request` naming the member or slot, or `EXPRESSION_INVALID`.
 */
export async function applyOverrides(
  caller: Caller,
  stored: ResourceView | undefined,
  sent: JsonObject,
  name: string,
  host: PluginHost,
): Promise<ResourceView | undefined> {
  refuseUnlessAllowed(caller);
  const validate = validator();
  if (!validate(sent)) throw describe(validate);
  const overrides = sent as AiResourceOverrides;
  if (overrides.defaultArgs) {
    refuseReserved(overrides.defaultArgs as JsonObject, `${place}.defaultArgs`);
  }
  if (!stored && !overrides.model) return undefined;
  const base = stored ?? emptyResource(caller, name);
  const slots = await resolve(caller, stored, overrides, host);
  const { useFallback, defaultArgs, onLoss, capacity, enforceCapacity } = overrides;
  return {
    ...base,
    ...slots,
    ...(useFallback === undefined ? {} : { useFallback }),
    ...(onLoss === undefined ? {} : { onLoss }),
    ...(defaultArgs === undefined ? {} : {
      defaultArgs: defaultArgs === null
        ? null
        : mergeObjects(base.defaultArgs as JsonObject | null, defaultArgs as JsonObject),
    }),
    capacity: [...base.capacity, ...capacity ?? []],
    enforceCapacity: base.enforceCapacity || enforceCapacity === true,
  };
}

function refuseUnlessAllowed(caller: Caller): void {
  const allowed = caller.environment.settings.allowOverrides &&
    (caller.kind === "user" || caller.apiKey.allowOverrides);
  if (allowed) return;
  throw new GatewayError(
    "overrides_not_allowed",
    "The API key or its environment does not allow resource overrides",
    { param: place },
  );
}

async function resolve(
  caller: Caller,
  stored: ResourceView | undefined,
  overrides: AiResourceOverrides,
  host: PluginHost,
): Promise<ResolvedSlots> {
  const { model, secondaryModels, fallbackModels, routing } = overrides;
  const kept = stored ?? {
    model: undefined,
    secondaryModels: [],
    fallbackModels: [],
    routing: null,
  };
  const connections = [...caller.environment.connections.values()];
  try {
    return resolveSlots(
      {
        model: model ? mergeSlot(kept.model, model) : kept.model!,
        secondaryModels: secondaryModels ?? kept.secondaryModels,
        fallbackModels: fallbackModels ?? kept.fallbackModels,
        routing: await acceptRouting(routing, kept.routing, host),
      },
      connections,
      host,
    );
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    // This plane knows one code for a body that breaks a rule.
    const code = error.code === "VALIDATION_FAILED" ? "invalid_request" : error.code;
    throw new GatewayError(code, error.message, {
      cause: error,
      param: `${place}.${error.param}`,
    });
  }
}

function emptyResource({ environment }: Caller, name: string): ResourceView {
  return {
    resourceId: ephemeralId,
    environmentId: environment.environmentId,
    name,
    description: null,
    enabled: true,
    // Replaced by the overrides' own model, without which there is no such resource.
    model: { connectionId: "", provider: "", model: "", maxRetries: 0, timeoutMs: null },
    secondaryModels: [],
    fallbackModels: [],
    useFallback: null,
    routing: null,
    defaultArgs: null,
    onLoss: null,
    capacity: [],
    enforceCapacity: false,
    assignedApiKeys: new Set(),
    createdAt: new Date(0),
    version: 0,
  };
}

function describe(validate: ValidateFunction): GatewayError {
  const fault = validate.errors![0]!;
  const path = fault.instancePath.slice(1).replaceAll("/", ".").replace(/\.(\d+)/g, "[$1]");
  const extra = fault.params["additionalProperty"];
  const param = [place, path, extra].filter(Boolean).join(".");
  const rule = fault.keyword === "additionalProperties" ? "is not known" : fault.message;
  return new GatewayError("invalid_request", `${param} ${rule}`, { param });
}
