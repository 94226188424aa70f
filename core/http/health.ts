import type { Context } from "koa";

/** What the readiness path tells everybody. */
export interface Readiness {
  readonly status: "ready" | "degraded" | "not_ready";
}

/** Tells how ready the process is; with details for a caller who may have them. */
export type ReadinessSource = (context: Context) => Readiness | Promise<Readiness>;

/** A small JSON answer to a health path; undefined when the path is none. */
export async function answerHealth(
  context: Context,
  readiness: ReadinessSource,
): Promise<{ readonly status: number; readonly body: object } | undefined> {
  if (context.path === "/healthz") return { status: 200, body: { status: "ok" } };
  if (context.path !== "/readyz") return undefined;
  const body = await readiness(context);
  return { status: body.status === "not_ready" ? 503 : 200, body };
}
