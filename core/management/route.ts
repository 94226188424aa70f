import type { TObject, TSchema } from "typebox";
import type { Static } from "typebox";
import type { Principal } from "../access/principal.ts";
import type { ErrorCode } from "../contract/errors.ts";
import type { Actor } from "../store/change.ts";
import type { EnvironmentView, Snapshot, WorkspaceView } from "../store/snapshot.ts";
import type { HandlerServices } from "./services.ts";

/** HTTP methods of the management API. */
export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

/** An object a route is about: what authorisation needs to know, and what handlers go on with. */
export interface Item {
  readonly name: string;
  readonly id: string;
  readonly createdBy?: string | null;
}

/** Who may call a route. */
export type RouteAccess<Loaded extends Item = Item> =
  /** Everybody. */
  | "public"
  /** Everybody who is signed in. `limited` routes also serve users who must change their password first. */
  | "self"
  | "self-limited"
  | {
    /** Such as `ai-connection:update`. */
    readonly action: string;
    /**
     * Resource string; `{w}` and `{e}` stand for workspace and environment of the path, `{item}` for the object
     * that `item` finds.
     */
    readonly resource: string;
    /** Finds the object; throws its `..._NOT_FOUND`. */
    readonly item?: (context: RouteContext) => Promise<Loaded> | Loaded;
  };

/** What every handler is given. */
export interface RouteContext<Query = unknown, Body = unknown, Loaded = unknown> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Absent on public routes. */
  readonly principal: Principal;
  /** Present on paths below a workspace. */
  readonly workspace: WorkspaceView;
  /** Present on paths below an environment. */
  readonly environment: EnvironmentView;
  /** What the route's `item` found. */
  readonly item: Loaded;
  /** State at the beginning of the call. */
  readonly snapshot: Snapshot;
  /** Versions of an `If-Match` header; undefined when there is none. */
  readonly ifMatch: readonly string[] | undefined;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
  /** True when the caller asks for a stream of events. Routes without `events` need not look. */
  readonly wantsEvents: boolean;
  /** True when a browser asks for a page to show. */
  readonly wantsPage: boolean;
  /** The Cookie header. Routes that act for a session have a principal and need not look. */
  readonly cookies: string | undefined;
  /** The header a reader of events comes back with. */
  readonly lastEventId: string | undefined;
  /** Origin under which the browser reached the gateway. */
  readonly origin: string;
  /** Who a change is written down for. */
  readonly actor: Actor;
  readonly services: HandlerServices;
  /** Set members to add to the answer. */
  readonly reply: { cookie?: string; headers?: Record<string, string> };
}

/** One operation of the management API. Router, validation, authorisation and OpenAPI derive from it. */
export interface Route {
  readonly method: Method;
  /** Path with `{parameter}`s. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly access: RouteAccess;
  readonly query?: TObject | undefined;
  readonly body?: TSchema | undefined;
  /** Whether the body may be left out. */
  readonly bodyOptional?: boolean | undefined;
  /** Absent for answers without a body. */
  readonly answer?: TSchema | undefined;
  /** Media types of the answer where it is no JSON. */
  readonly answerTypes?: readonly string[] | undefined;
  /** Data of the events, for operations that can be followed with `Accept: text/event-stream`. */
  readonly events?: TSchema | undefined;
  /** 200, 201, 204 or 302; derived when absent. */
  readonly status: number;
  /** Codes of its own, beside those every route can answer. */
  readonly problems: readonly ErrorCode[];
  /** Code of a body that breaks its schema; `VALIDATION_FAILED` when absent. */
  readonly bodyCode?: ErrorCode | undefined;
  /** Members of the answer that are shown once: masked when an answer is replayed, never cached. */
  readonly secrets?: readonly string[] | undefined;
  /** False for routes whose answer must not be replayed under an `Idempotency-Key`. */
  readonly replayable?: boolean | undefined;
  readonly handler: (context: RouteContext<never, never, never>) => Promise<unknown> | unknown;
}

/** A route as it is written down; types of query, body and object reach its handler. */
export interface RouteDeclaration<
  Query extends TObject,
  Body extends TSchema,
  Loaded extends Item,
> extends Omit<Route, "access" | "query" | "body" | "status" | "problems" | "handler"> {
  readonly access: RouteAccess<Loaded>;
  readonly query?: Query;
  readonly body?: Body;
  readonly status?: number;
  readonly problems?: readonly ErrorCode[];
  readonly handler: (
    context: RouteContext<Static<Query>, Static<Body>, Loaded>,
  ) => Promise<unknown> | unknown;
}

/** Declares one operation of the management API. */
export function defineRoute<
  Query extends TObject = TObject,
  Body extends TSchema = TSchema,
  Loaded extends Item = Item,
>(declaration: RouteDeclaration<Query, Body, Loaded>): Route {
  const status = declaration.status ??
    (declaration.answer === undefined ? 204 : declaration.method === "POST" ? 201 : 200);
  return {
    ...declaration,
    status,
    problems: declaration.problems ?? [],
    handler: declaration.handler as Route["handler"],
  };
}
