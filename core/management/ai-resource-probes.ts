import { ErrorRate, errorRateQuery, RouteTestRequest, RouteTestResult } from "@vmx/schemas";
import Type from "typebox";
import { GatewayError } from "../contract/errors.ts";
import { findItem } from "./ai-resource-rows.ts";
import { environmentPath } from "./environments.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";
import { draftId, dryRunRequest, triedResource } from "./route-test.ts";
import { completeRouteTest } from "./stored-sample.ts";

const one = `${environmentPath}/ai-resources/{resourceId}`;
const tag = "AI resources";
const resource = "workspace:{w}:environment:{e}:ai-resource:{item}";

/** Operations that look into resources: dry runs and error rates. */
export const aiResourceProbeRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: `${one}/route-test`,
    operationId: "testAiResourceRoute",
    summary: "Tells which model would serve a request, and why; `draft` as id tries an unsaved one",
    tag,
    access: { action: "ai-resource:get", resource, item: findItemOrDraft },
    body: RouteTestRequest,
    answer: RouteTestResult,
    status: 200,
    problems: [
      "AI_RESOURCE_NOT_FOUND",
      "API_KEY_NOT_FOUND",
      "AUDIT_ROW_NOT_FOUND",
      "EXPRESSION_INVALID",
      "NAME_CONFLICT",
      "AI_RESOURCE_ALREADY_EXISTS",
      "invalid_request",
      "operation_not_supported",
    ],
    replayable: false,
    async handler(context) {
      const { environment, item, services } = context;
      const stored = environment.resources.get(item.id);
      if (!stored && item.id !== draftId) {
        // Another process has saved it, and this one will know it in a moment.
        throw new GatewayError("AI_RESOURCE_NOT_FOUND", "The AI resource is not loaded yet");
      }
      const asked = await completeRouteTest(context);
      const resource = await triedResource(context, stored);
      return await services.gateway.dryRun(dryRunRequest(context, asked, resource));
    },
  }),

  defineRoute({
    method: "GET",
    path: `${one}/error-rate`,
    operationId: "getAiResourceErrorRate",
    summary: "Reads how often the legs of a resource failed",
    tag,
    access: { action: "ai-resource:get", resource, item: findItem },
    query: Type.Object(errorRateQuery, { additionalProperties: false }),
    answer: ErrorRate,
    problems: ["AI_RESOURCE_NOT_FOUND"],
    handler({ environment, item: { row }, query, services }) {
      const { connectionId, model, statusCode = "any", window = 10 } = query;
      return services.gateway.errorRate(
        {
          environmentId: environment.environmentId,
          resourceId: row.resourceId,
          connectionId: connectionId ?? row.model.connectionId,
          model: model ?? row.model.model,
        },
        window,
        statusCode === "any" ? "any" : Number(statusCode),
      );
    },
  }),
];

function findItemOrDraft(context: RouteContext): Promise<Item> | Item {
  return context.params.resourceId === draftId ? { name: draftId, id: draftId } : findItem(context);
}
