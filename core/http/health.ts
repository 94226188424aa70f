/** What the readiness path tells. */
export interface Readiness {
  readonly status: "ready" | "degraded" | "not_ready";
}

/** A small JSON answer to a health path; undefined when the path is none. */
export function answerHealth(
  path: string,
  readiness: () => Readiness,
): { readonly status: number; readonly body: object } | undefined {
  if (path === "/healthz") return { status: 200, body: { status: "ok" } };
  if (path !== "/readyz") return undefined;
  const body = readiness();
  return { status: body.status === "not_ready" ? 503 : 200, body };
}
