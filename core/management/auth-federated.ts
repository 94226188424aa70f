import { randomBytes } from "node:crypto";
import Type from "typebox";
import { networkOf } from "../access/login-throttle.ts";
import { hashSecret } from "../access/token-format.ts";
import { GatewayError } from "../contract/errors.ts";
import { cookieOf, isLoopback, recordLoginFailure } from "./auth-session.ts";
import { signInFederated } from "./federation/federated-user.ts";
import { flowMs } from "./federation/login-flows.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";

const tag = "Authentication";
const callbackPath = "/api/v1/auth/oidc/callback";
const startsPerMinute = 60;

/** Operations a browser is sent through to sign in at an identity provider. */
export const federatedAuthRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/auth/oidc/start",
    operationId: "startFederatedLogin",
    summary: "Sends the browser to the identity provider",
    tag,
    access: "public",
    query: Type.Object({
      returnTo: Type.Optional(Type.String({
        maxLength: 2000,
        description: "Path of the gateway to come back to, such as /workspaces",
      })),
    }, { additionalProperties: false }),
    status: 302,
    replayable: false,
    problems: ["OIDC_NOT_CONFIGURED", "OIDC_RESPONSE_ERROR", "TOO_MANY_REQUESTS"],
    handler: (context) =>
      orSignInPage(context, ownPath(context.query.returnTo), async (returnTo) => {
        await limitStarts(context);
        const { federation } = context.services;
        const provider = await federation.provider();
        const redirectUri = callbackOf(context);
        const state = randomBytes(32).toString("base64url");
        const begun = await provider.begin({ redirectUri, state });
        const browser = browserOf(context) ?? randomBytes(32).toString("base64url");
        await federation.flows.keep(state, {
          browser: hashSecret(browser),
          state: begun.state,
          redirectUri,
          returnTo,
        });
        context.reply.cookie = browserCookie(context, browser);
        return begun.url;
      }),
  }),

  defineRoute({
    method: "GET",
    path: callbackPath,
    operationId: "completeFederatedLogin",
    summary: "Where the identity provider sends the browser back to; begins the session",
    tag,
    access: "public",
    query: Type.Object({
      state: Type.Optional(Type.String({ maxLength: 512 })),
      code: Type.Optional(Type.String({ maxLength: 8192 })),
      error: Type.Optional(Type.String({ maxLength: 512 })),
    }, { description: "Providers add members of their own" }),
    status: 302,
    replayable: false,
    problems: [
      "OIDC_NOT_CONFIGURED",
      "OIDC_RESPONSE_ERROR",
      "OIDC_EMAIL_NOT_AVAILABLE",
      "OIDC_EMAIL_MISMATCH",
      "USER_INACTIVE",
    ],
    handler: (context) =>
      orSignInPage(context, "/", async (_, remember) => {
        const { services, query, sourceIp, userAgent } = context;
        const { federation, access } = services;
        const provider = await federation.provider();
        const browser = browserOf(context);
        const flow = query.state === undefined || browser === undefined
          ? undefined
          : await federation.flows.take(query.state, hashSecret(browser));
        if (!flow) {
          throw new GatewayError(
            "OIDC_RESPONSE_ERROR",
            "Cannot complete the login: it was not begun in this browser, is older than 10 minutes, " +
              "or has been completed already",
          );
        }
        remember(flow.returnTo);
        const identity = await provider.complete({
          url: `${flow.redirectUri}?${queryText(query)}`,
          state: flow.state,
          redirectUri: flow.redirectUri,
        });
        const user = await signInFederated(context, identity, federation.settings);
        const { id } = await access.sessions.start(user.userId, { ip: sourceIp, userAgent });
        context.reply.cookie = cookieOf(context, id);
        return flow.returnTo;
      }),
  }),
];

/** Goes where the work says. A browser that cannot is shown the sign-in page, everybody else the problem. */
async function orSignInPage(
  context: RouteContext,
  from: string,
  work: (returnTo: string, remember: (returnTo: string) => void) => Promise<string>,
): Promise<void> {
  let returnTo = from;
  let location: string;
  try {
    location = await work(from, (next) => returnTo = next);
  } catch (error) {
    const isRefusal = error instanceof GatewayError && error.status < 500;
    if (isRefusal && error.code !== "OIDC_NOT_CONFIGURED" && error.code !== "TOO_MANY_REQUESTS") {
      context.services.log.warn("Refused a federated login", { error });
      const { userId } = (error.details ?? {}) as { userId?: string };
      await recordLoginFailure(context, { action: "auth:login-failed", userId });
    }
    if (!isRefusal || !context.wantsPage) throw error;
    location = `/sign-in?${new URLSearchParams({ error: error.code, returnTo })}`;
  }
  context.reply.headers = { ...context.reply.headers, location };
}

/** A place the browser may be sent to in the end: a path of the gateway itself and nothing else. */
function ownPath(returnTo = "/"): string {
  const own = "http://gateway.invalid";
  const url = URL.parse(returnTo, own);
  // deno-lint-ignore no-control-regex
  const isPlain = /^\/(?![/\\])[^\\\x00-\x20\x7f]*$/.test(returnTo);
  // What dots lead to must not begin with two slashes either: browsers take that for another host.
  if (isPlain && url?.origin === own && !/^\/(\/|api(\/|$))/i.test(url.pathname)) {
    return url.pathname + url.search + url.hash;
  }
  throw new GatewayError("VALIDATION_FAILED", "Cannot return there: returnTo is no own path", {
    faults: [{
      path: "query/returnTo",
      code: "path",
      message: "must be a path of the console, such as /workspaces",
    }],
  });
}

/** A flow is remembered for minutes, so their number is limited per address. */
async function limitStarts({ services, sourceIp }: RouteContext): Promise<void> {
  const state = await services.sharedState?.().catch(() => undefined);
  const key = `login:federated:starts:${networkOf(sourceIp)}`;
  const count = await state?.increment(key, 1, 60_000).catch(() => 0) ?? 0;
  if (count <= startsPerMinute) return;
  throw new GatewayError("TOO_MANY_REQUESTS", "Too many logins were begun: wait a minute", {
    retryAfterSeconds: 60,
  });
}

function callbackOf({ services, origin }: RouteContext): string {
  return `${services.config.publicUrl ?? origin}${callbackPath}`;
}

/** Only a page of this very host can set a cookie with this prefix, and only over TLS. */
function browserCookieName(context: RouteContext): string {
  return isLoopback(context) ? "vmx_oidc" : "__Host-vmx_oidc";
}

function browserCookie(context: RouteContext, value: string): string {
  const secure = isLoopback(context) ? "" : "; Secure";
  return `${browserCookieName(context)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${
    flowMs / 1000
  }${secure}`;
}

function browserOf(context: RouteContext): string | undefined {
  const name = browserCookieName(context);
  for (const pair of context.cookies?.split(";") ?? []) {
    const [key, value] = pair.trim().split("=");
    if (key === name && value !== undefined && /^[\w-]{43}$/.test(value)) return value;
  }
  return undefined;
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  return new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, String(each)])
    ),
  ).toString();
}
