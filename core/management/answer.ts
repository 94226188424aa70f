import { v7 as uuidv7 } from "uuid";
import { isDatabaseUnavailable } from "../store/database-error.ts";
import { createSnapshotDatabase } from "../store/snapshot-database.ts";
import type { Principal } from "../access/principal.ts";
import { GatewayError } from "../contract/errors.ts";
import { maskText } from "../host/configuration-schema.ts";
import type { Actor } from "../store/change.ts";
import { etagOf, parseEtags } from "./etag.ts";
import { EventStream } from "./event-stream.ts";
import { FileStream, takesGzip } from "./file-stream.ts";
import { type Claim, claimIdempotencyKey } from "./idempotency.ts";
import { parseJsonBody } from "./json-body.ts";
import { problemOf } from "./problem.ts";
import type { Item, Route, RouteContext } from "./route.ts";
import { authorizeRoute, findScope, mustChangePassword, type Scope } from "./scope.ts";
import type { HandlerServices } from "./services.ts";
import type { Validation } from "./validation.ts";

/** A management request, whatever carried it. */
export interface ManagementRequest {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | string[] | undefined>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** True when a credential header came more than once. */
  readonly duplicateCredential: boolean;
  readonly sourceIp: string;
  /** Origin under which the browser reached the gateway. */
  readonly origin: string;
  /** Reads the body. Rejects with `BODY_TOO_LARGE`. */
  readonly readBody: (maxBytes: number) => Promise<Uint8Array>;
}

/** The answer to a management request. */
export interface ManagementAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for answers without a body. */
  readonly body: unknown;
}

/** Largest body, in bytes. */
const maxBodyBytes = 2 * 1024 * 1024;

/** Answers a request to a route; every failure becomes a problem. */
export async function answerRoute(
  route: Route,
  request: ManagementRequest,
  services: HandlerServices,
  validation: Validation,
): Promise<ManagementAnswer> {
  const requestId = uuidv7();
  try {
    const answered = await readOrRun(route, request, requestId, services, validation);
    return finish(answered, requestId, services);
  } catch (error) {
    return answerProblem(error, request, requestId, services);
  }
}

/**
 * Runs a request; while the database is away reads are answered from the configuration this process holds. Known to
 * be away it is not asked at all: one that is paused would keep the caller waiting.
 */
async function readOrRun(...given: Parameters<typeof run>): Promise<Outcome> {
  const [route, request, requestId, services, validation] = given;
  const isRead = route.method === "GET" && route.access !== "public";
  const fromSnapshot = () => {
    const database = createSnapshotDatabase(services.database, services.loader.rows());
    return run(route, request, requestId, { ...services, database }, validation);
  };
  if (isRead && services.loader.state().status === "degraded") return await fromSnapshot();
  try {
    return await run(...given);
  } catch (error) {
    if (isRead && isDatabaseUnavailable(error)) return await fromSnapshot();
    throw error;
  }
}

/** Answers what went wrong, also before a route was found. */
export function answerProblem(
  error: unknown,
  request: Pick<ManagementRequest, "path">,
  requestId: string = uuidv7(),
  services: Pick<HandlerServices, "log" | "loader">,
): ManagementAnswer {
  const problem = problemOf(error, { instance: request.path, requestId }, services.log);
  return finish({ ...problem, noStore: false }, requestId, services);
}

interface Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly noStore: boolean;
}

async function run(
  route: Route,
  request: ManagementRequest,
  requestId: string,
  services: HandlerServices,
  validation: Validation,
): Promise<Outcome> {
  const snapshot = services.loader.current();
  const isPublic = route.access === "public";
  const principal = isPublic ? undefined : await services.access.authenticate(request);
  const reply: RouteContext["reply"] = {};
  const scope: Scope = principal
    ? findScope(snapshot, principal, request.params)
    : { workspace: undefined, environment: undefined };
  const context = {
    params: request.params,
    query: {} as unknown,
    body: undefined as unknown,
    principal,
    ...scope,
    item: undefined as Item | undefined,
    snapshot,
    ifMatch: parseEtags(request.headers["if-match"]),
    requestId,
    sourceIp: request.sourceIp,
    userAgent: request.headers["user-agent"],
    lastEventId: request.headers["last-event-id"]?.slice(0, 100),
    wantsEvents: /\btext\/event-stream\b/i.test(request.headers["accept"] ?? ""),
    wantsPage: /\btext\/html\b/i.test(request.headers["accept"] ?? ""),
    cookies: request.headers["cookie"],
    origin: request.origin,
    actor: actorOf(principal, requestId, request.sourceIp),
    services,
    reply,
  };
  // Public routes use none of the members that need a principal.
  const given = () => context as unknown as RouteContext<never, never, never>;
  if (principal) {
    const find = typeof route.access === "string" ? undefined : route.access.item;
    if (find && !mustChangePassword(principal)) context.item = await find(given());
    authorizeRoute(route, snapshot, principal, scope, context.item);
  }
  context.query = validation.query(route.query ?? noQuery, { ...request.query });
  const bytes = await readRouteBody(route, request);
  if (route.body) {
    context.body = bytes.length === 0 && route.bodyOptional ? {} : parseJsonBody(bytes);
    validation.body(route.body, context.body, route.bodyCode);
  }

  const claim = await claimFor(route, request, principal, bytes, services);
  if (claim?.kind === "replay") {
    const { status, headers, body } = claim.answer;
    return {
      status,
      headers: { ...headers, "idempotency-replayed": "true" },
      body,
      noStore: route.secrets !== undefined,
    };
  }
  try {
    const outcome = present(route, request, await route.handler(given()), reply);
    await claim?.keep({
      status: outcome.status,
      headers: outcome.headers,
      body: maskSecrets(outcome.body, route.secrets),
    });
    return outcome;
  } catch (error) {
    await settleFailure(claim, error, request, requestId, services);
    throw error;
  }
}

const noQuery = { type: "object", properties: {}, additionalProperties: false };

function present(
  route: Route,
  request: ManagementRequest,
  body: unknown,
  reply: RouteContext["reply"],
): Outcome {
  const headers: Record<string, string> = { ...reply.headers };
  if (reply.cookie !== undefined) headers["set-cookie"] = reply.cookie;
  const noStore = route.secrets !== undefined || reply.cookie !== undefined;
  if (body === undefined) return { status: route.status, headers, body, noStore };
  if (body instanceof EventStream) {
    headers["content-type"] = "text/event-stream; charset=utf-8";
    headers["x-accel-buffering"] = "no";
    return { status: route.status, headers, body, noStore };
  }
  if (body instanceof FileStream) {
    headers["content-type"] = body.contentType;
    headers["content-disposition"] = `attachment; filename="${body.fileName}"`;
    headers["vary"] = "accept-encoding";
    if (takesGzip(request.headers["accept-encoding"])) headers["content-encoding"] = "gzip";
    return { status: route.status, headers, body, noStore };
  }
  headers["content-type"] ??= "application/json; charset=utf-8";
  if (hasVersion(body)) {
    const etag = etagOf(body.version);
    headers["etag"] = etag;
    const known = parseEtags(request.headers["if-none-match"]);
    const read = request.method === "GET" || request.method === "HEAD";
    // Shorter than RFC 9110 allows for, yet right: a weak tag of ours compares like the strong one.
    if (read && known?.some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag)) {
      return { status: 304, headers: { etag }, body: undefined, noStore };
    }
  }
  return { status: route.status, headers, body, noStore };
}

async function readRouteBody(route: Route, request: ManagementRequest): Promise<Uint8Array> {
  if (route.method === "GET" || route.method === "DELETE") return new Uint8Array();
  const bytes = await request.readBody(maxBodyBytes);
  if (!route.body || bytes.length === 0) return bytes;
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const patches = route.method === "PATCH" || route.method === "PUT";
  if (type === "application/json" || (patches && type === "application/merge-patch+json")) {
    const charset = /charset="?([^";\s]+)/i.exec(request.headers["content-type"]!)?.[1];
    const encoding = request.headers["content-encoding"];
    if ((charset ?? "utf-8").toLowerCase() === "utf-8" && (encoding ?? "identity") === "identity") {
      return bytes;
    }
  }
  throw new GatewayError(
    "UNSUPPORTED_MEDIA_TYPE",
    `Cannot read the body: send application/json${
      patches ? " or application/merge-patch+json" : ""
    } in UTF-8, not encoded`,
  );
}

async function claimFor(
  route: Route,
  request: ManagementRequest,
  principal: Principal | undefined,
  body: Uint8Array,
  services: HandlerServices,
): Promise<Claim | undefined> {
  const key = request.headers["idempotency-key"];
  if (key === undefined || request.method !== "POST" || !principal) return undefined;
  if (route.replayable === false) return undefined;
  const query = new URLSearchParams(
    Object.entries(request.query).flatMap(([name, value]) =>
      value === undefined ? [] : [value].flat().map((item): [string, string] => [name, item])
    ),
  );
  query.sort();
  return await claimIdempotencyKey(services, {
    caller: principal.token ? `token:${principal.token.tokenId}` : `user:${principal.user.userId}`,
    key,
    method: request.method,
    path: `${request.path}?${query}`,
    body,
  });
}

/** A refusal is an answer like any other and is replayed; a failure of ours may be tried again. */
async function settleFailure(
  claim: Claim | undefined,
  error: unknown,
  request: ManagementRequest,
  requestId: string,
  services: HandlerServices,
): Promise<void> {
  if (claim?.kind !== "first") return;
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const problem = problemOf(error, { instance: request.path, requestId }, quiet);
  try {
    await (problem.status < 500 ? claim.keep(problem) : claim.release());
  } catch (cause) {
    services.log.warn("Cannot settle an idempotency key", { error: cause });
  }
}

function finish(
  { status, headers, body, noStore }: Outcome,
  requestId: string,
  { loader }: Pick<HandlerServices, "loader">,
): ManagementAnswer {
  return {
    status,
    headers: {
      ...headers,
      "cache-control": noStore ? "no-store" : "no-cache",
      "x-content-type-options": "nosniff",
      "x-vmx-request-id": requestId,
      "x-vmx-revision": String(loader.current().revision),
    },
    body,
  };
}

function actorOf(
  principal: Principal | undefined,
  requestId: string,
  sourceIp: string,
): Actor {
  return {
    userId: principal?.user.userId ?? null,
    tokenId: principal?.token?.tokenId,
    via: principal?.via === "session" ? "console" : "api",
    requestId,
    sourceIp,
  };
}

function maskSecrets(body: unknown, secrets: readonly string[] | undefined): unknown {
  if (!secrets || typeof body !== "object" || body === null) return body;
  const masked: Record<string, unknown> = { ...body };
  for (const name of secrets) if (name in masked) masked[name] = maskText;
  return masked;
}

function hasVersion(body: unknown): body is { readonly version: number } {
  return typeof body === "object" && body !== null && "version" in body &&
    typeof body.version === "number";
}
