import type { AuditDetail } from "@vmx/schemas";
import { GatewayError } from "../contract/errors.ts";
import type { AuditScope } from "../records/audit-filter.ts";
import { readAudit } from "../records/audit-query.ts";
import type { EnvironmentView } from "../store/snapshot.ts";
import type { HandlerServices } from "./services.ts";

/** Resource template of an environment's audit. */
export const auditResource = "workspace:{w}:environment:{e}:audit";

/** The rows of an environment that its setting still shows. */
export function auditScope(
  { environmentId, settings }: EnvironmentView,
  now: number,
): AuditScope {
  return { environmentId, oldest: new Date(now - settings.auditRetentionDays * 86_400_000) };
}

/** Reads a request of an environment with all that was kept. Rejects with `AUDIT_ROW_NOT_FOUND`. */
export async function findAuditRow(
  { services, environment }: {
    readonly services: HandlerServices;
    readonly environment: EnvironmentView;
  },
  requestId: string,
): Promise<AuditDetail> {
  const scope = auditScope(environment, services.clock.now());
  const row = isUuid(requestId)
    ? await readAudit(services.database.statements, scope, requestId)
    : undefined;
  if (row) return row;
  throw new GatewayError(
    "AUDIT_ROW_NOT_FOUND",
    "The request is not in this environment's audit, or no longer",
  );
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text);
}
