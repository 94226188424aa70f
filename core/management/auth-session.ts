import { sessionCookie } from "../access/authenticate.ts";
import type { LoginFailure } from "../access/login.ts";
import { ActivityEntry } from "../store/entities/index.ts";
import type { RouteContext } from "./route.ts";

/** The cookie of a console session, for `reply.cookie`. An empty id deletes it. */
export function cookieOf(
  context: Pick<RouteContext, "origin" | "services">,
  id: string,
): string {
  const maxAge = id === "" ? 0 : Math.floor(context.services.config.session.maxMs / 1000);
  return [
    `${sessionCookie}=${id}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Lax",
    `Max-Age=${maxAge}`,
    ...(isLoopback(context) ? [] : ["Secure"]),
  ].join("; ");
}

/** Whether the browser is on the gateway's own machine, where cookies need not be `Secure`. */
export function isLoopback({ origin }: Pick<RouteContext, "origin">): boolean {
  const { hostname } = new URL(origin);
  return hostname === "localhost" || hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname) || hostname.endsWith(".localhost");
}

/** Failures are written down outside any change: they alter no configuration. Never rejects. */
export async function recordLoginFailure(
  { services, requestId, sourceIp }: Pick<RouteContext, "services" | "requestId" | "sourceIp">,
  failure: Pick<LoginFailure, "action" | "userId">,
): Promise<void> {
  const { database, loader, log } = services;
  // The account is not written down as typed: people type passwords into the wrong box.
  const user = failure.userId === undefined
    ? undefined
    : loader.current().users.get(failure.userId);
  log.warn("Refused a login", { action: failure.action, userId: failure.userId, sourceIp });
  try {
    const em = database.em();
    em.create(ActivityEntry, {
      revision: loader.current().revision,
      actorUserId: null,
      via: "console",
      action: failure.action,
      entityType: "user",
      entityId: failure.userId ?? "unknown",
      entityName: user?.username ?? "unknown",
      requestId,
      sourceIp,
    });
    await em.flush();
  } catch (error) {
    log.warn("Cannot write down a refused login", { error });
  }
}
