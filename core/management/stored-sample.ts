import type { AuditDetail, RouteTestRequest } from "@vmx/schemas";
import { authorize } from "../access/authorize.ts";
import { GatewayError } from "../contract/errors.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { auditResource, findAuditRow } from "./audit-row.ts";
import type { RouteContext } from "./route.ts";
import { resourceFor } from "./scope.ts";

/** A question to a dry run that lacks nothing. */
export type CompleteRouteTest =
  & RouteTestRequest
  & Required<Pick<RouteTestRequest, "dialect" | "body">>;

type Context = RouteContext<unknown, RouteTestRequest>;

/**
 * The question with what it leaves out taken from the stored request it names: dialect, operation, body, metadata,
 * API key while that exists, source address, and of the circumstances the time and the numbers drawn. Rates, latency
 * and usage are not stored, so that those of the present hold.
 *
 * Rejects with `AUDIT_ROW_NOT_FOUND`, with `VALIDATION_FAILED` when there is no body to ask with, and as `authorize`
 * does when the caller may not read payloads.
 */
export async function completeRouteTest(context: Context): Promise<CompleteRouteTest> {
  const { body: asked, environment, principal, services, snapshot, workspace } = context;
  const { auditRequestId, ...given } = asked;
  if (auditRequestId === undefined) return required(given);
  const target = resourceFor(auditResource, { workspace, environment });
  authorize(snapshot, principal, "audit:read-payload", target);
  const row = await findAuditRow(context, auditRequestId);
  const apiKeyId = [...snapshot.apiKeysByHash.values()].find((key) =>
    key.apiKeyId === row.apiKeyId && !key.validUntil
  )?.apiKeyId;
  const draws = Object.fromEntries(
    row.routing?.routes.flatMap(({ routeId, draw }) =>
      draw === undefined ? [] : [[routeId, draw]]
    ) ?? [],
  );
  return {
    ...asksIn(row, services.host),
    sourceIp: row.sourceIp,
    ...(apiKeyId === undefined ? {} : { apiKeyId }),
    ...given,
    body: given.body ?? bodyOf(row),
    headers: { ...headersOf(row), ...given.headers },
    assume: { now: row.timestamp, draws, ...given.assume },
  };
}

function required(asked: RouteTestRequest): CompleteRouteTest {
  const { body, dialect } = asked;
  if (dialect !== undefined && body !== undefined) return { ...asked, dialect, body };
  throw invalid(
    dialect === undefined ? "/dialect" : "/body",
    "required",
    "is required unless auditRequestId names a stored request",
  );
}

/** The dialect and the operation of the endpoint a request came to. */
function asksIn(
  { endpoint }: AuditDetail,
  host: PluginHost,
): Pick<CompleteRouteTest, "dialect" | "operation"> {
  for (const { entry, id } of host.contributions("dialects")) {
    const inbound = entry["inbound"] as { routes: { endpoint?: string; operation: string }[] };
    const route = inbound?.routes.find((each) => each.endpoint === endpoint);
    if (!route) continue;
    const { operation } = route;
    if (operation === "chat" || operation === "embeddings") return { dialect: id, operation };
  }
  throw unusable(`requests to endpoint ${endpoint} are not routed`);
}

function bodyOf({ payloadState, requestBody }: AuditDetail): Record<string, unknown> {
  const state = payloadState?.["requestBody"] ?? "none was captured";
  // Where content is not captured, what stands in the place of the body only counts and measures it.
  const isSummary = state === "stored" && payloadState?.["mergedBody"] === "off by policy";
  if (isSummary) throw unusable("its body was not kept: off by policy");
  if (state.startsWith("truncated")) throw unusable(`its body was not kept whole: ${state}`);
  if (typeof requestBody === "object" && requestBody !== null && !Array.isArray(requestBody)) {
    return requestBody as Record<string, unknown>;
  }
  throw unusable(`its body was not kept: ${state === "stored" ? "it is no object" : state}`);
}

/** Metadata as headers, but for what the body says itself. */
function headersOf({ metadata }: AuditDetail): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [`x-vmx-metadata-${key.toLowerCase()}`, value]),
  );
}

function unusable(message: string): GatewayError {
  return invalid("/auditRequestId", "not_kept", message);
}

function invalid(path: string, code: string, message: string): GatewayError {
  return new GatewayError(
    "VALIDATION_FAILED",
    `Cannot try the route: ${path.slice(1)}: ${message}`,
    { faults: [{ path, code, message }] },
  );
}
