import type { AuditLeg, AuditRow } from "@vmx/sdk";

type Mark = { readonly kind: "good" | "warn" | "bad" | "off" | "none"; readonly text: string };

const statuses: Readonly<Record<AuditRow["status"], Mark>> = {
  ok: { kind: "good", text: "OK" },
  error: { kind: "bad", text: "Error" },
  denied: { kind: "warn", text: "Denied" },
  blocked: { kind: "warn", text: "Blocked" },
  aborted: { kind: "off", text: "Aborted" },
  partial: { kind: "warn", text: "Partial" },
  interrupted: { kind: "bad", text: "Interrupted" },
};

/** How a request ended, as a mark; without a status it still runs. */
export function markOf(
  { status, statusCode }: {
    readonly status: AuditRow["status"] | null;
    readonly statusCode: number | null;
  },
): Mark {
  if (status === null) return { kind: "none", text: "In flight" };
  const mark = statuses[status];
  return statusCode === null || status === "ok"
    ? mark
    : { ...mark, text: `${mark.text} ${statusCode}` };
}

const outcomes: Readonly<Record<NonNullable<AuditLeg["outcome"]>, Mark>> = {
  ok: { kind: "good", text: "Served" },
  failed: { kind: "bad", text: "Failed" },
  denied: { kind: "warn", text: "Denied" },
  skipped: { kind: "off", text: "Skipped" },
  aborted: { kind: "off", text: "Aborted" },
  partial: { kind: "warn", text: "Partial" },
};

/** How a leg ended, as a mark. */
export function legMarkOf({ outcome, statusCode }: AuditLeg): Mark {
  if (outcome === null) return { kind: "none", text: "Not known" };
  const mark = outcomes[outcome];
  return statusCode === null || outcome === "ok"
    ? mark
    : { ...mark, text: `${mark.text} ${statusCode}` };
}
