import * as schemas from "@vmx/schemas";
import type { TSchema } from "typebox";
import { type ErrorCode, errorTable } from "../contract/errors.ts";
import type { Route } from "./route.ts";

/** Any JSON value of the document. */
type Node = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.1 document of a route table. Schemas of `@vmx/schemas` that bear their own name as title become
 * components; everything else stands where it is used.
 */
export function createOpenApi(routes: readonly Route[], version: string): Node {
  const components = new Map<string, unknown>();
  const named = new Map<unknown, string>(
    Object.entries<unknown>(schemas).flatMap(([name, schema]) =>
      isNode(schema) && schema["title"] === name ? [[schema, name] as const] : []
    ),
  );

  function emit(schema: unknown, top = false): unknown {
    if (Array.isArray(schema)) return schema.map((item) => emit(item));
    if (!isNode(schema)) return schema;
    const name = named.get(schema);
    if (name !== undefined && !top) {
      if (!components.has(name)) {
        components.set(name, undefined);
        components.set(name, emit(schema, true));
      }
      return { $ref: `#/components/schemas/${name}` };
    }
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, emit(value)]));
  }

  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, emit);
  }
  emit(schemas.Problem);
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  return {
    openapi: "3.1.0",
    info: {
      title: "VM-X management API",
      version,
      description: "Everything that can be set up in the gateway. Errors are problems (RFC 9457).",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, { session: [] }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "A personal access token, or the installation's admin token",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "vmx_session",
          description: "A console session; changes also need the header x-vmx-csrf",
        },
      },
      schemas: Object.fromEntries([...components].sort(([a], [b]) => a < b ? -1 : 1)),
    },
  };
}

/** Codes a route can answer, its own and those that come with its kind. */
export function problemCodes(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(route.problems);
  if (route.access !== "public") {
    for (const code of signedIn) codes.add(code);
    if (route.access !== "self-limited") codes.add("PASSWORD_CHANGE_REQUIRED");
    if (typeof route.access !== "string") codes.add("NOT_AUTHORIZED");
    if (route.path.includes("{workspaceId}")) codes.add("WORKSPACE_NOT_FOUND");
    if (route.path.includes("{environmentId}")) codes.add("ENVIRONMENT_NOT_FOUND");
    if (route.method !== "GET") codes.add("CSRF_TOKEN_INVALID");
    if (route.method === "POST" && route.replayable !== false) {
      codes.add("IDEMPOTENCY_KEY_REUSED").add("IDEMPOTENCY_IN_PROGRESS");
    }
  }
  codes.add("VALIDATION_FAILED");
  if (route.body) codes.add("BODY_TOO_LARGE").add("UNSUPPORTED_MEDIA_TYPE");
  return [...codes.add("DATABASE_UNAVAILABLE").add("INTERNAL_ERROR")];
}

const signedIn: readonly ErrorCode[] = [
  "NOT_AUTHENTICATED",
  "SESSION_EXPIRED",
  "TOKEN_EXPIRED",
  "API_KEY_CANNOT_MANAGE",
  "USER_INACTIVE",
];

type Emit = (schema: unknown) => unknown;

function operation(route: Route, emit: Emit): Node {
  const { access, answer, body, method } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route, emit), ...headers(route)];
  const mediaTypes = method === "PATCH" || method === "PUT"
    ? ["application/merge-patch+json", "application/json"]
    : ["application/json"];
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    ...(access === "public" ? { security: [] } : {}),
    ...(typeof access === "string" ? {} : {
      "x-vmx-action": access.action,
      "x-vmx-resource": access.resource,
    }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? {
        requestBody: {
          required: route.bodyOptional !== true,
          content: Object.fromEntries(mediaTypes.map((type) => [type, { schema: emit(body) }])),
        },
      }
      : {}),
    responses: {
      [route.status]: answer
        ? {
          description: "Done",
          headers: answerHeaders(answer),
          content: {
            ...Object.fromEntries(
              (route.answerTypes ?? ["application/json"]).map((type) => [type, {
                schema: emit(answer),
              }]),
            ),
            ...(route.events ? { "text/event-stream": { schema: emit(route.events) } } : {}),
          },
        }
        : { description: "Done", headers: answerHeaders(undefined) },
      ...(method === "GET" && hasVersion(answer)
        ? { 304: { description: "Unchanged since the version of If-None-Match" } }
        : {}),
      ...problemResponses(problemCodes(route), emit),
    },
  };
}

function pathParameters({ path }: Route): Node[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: name === "pluginId" ? { type: "string" } : { type: "string", format: "uuid" },
  }));
}

function queryParameters({ query }: Route, emit: Emit): Node[] {
  return Object.entries(query?.properties ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schema as Node;
    return {
      name,
      in: "query",
      required: (query?.required as readonly string[] | undefined)?.includes(name) ?? false,
      ...(description === undefined ? {} : { description }),
      schema: emit(rest),
    };
  });
}

function headers({ method, answer, replayable, access }: Route): Node[] {
  const header = (name: string, description: string) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  });
  if (method === "GET") {
    return hasVersion(answer)
      ? [header("If-None-Match", "ETag of the version that is known already")]
      : [];
  }
  if (method === "POST") {
    return replayable === false || access === "public" ? [] : [
      header(
        "Idempotency-Key",
        "Repeats with the same key and body are answered with the first answer",
      ),
    ];
  }
  return [header("If-Match", "ETag of the version the change is meant for")];
}

function answerHeaders(answer: TSchema | undefined): Node {
  const text = (description: string) => ({ description, schema: { type: "string" } });
  return {
    "x-vmx-request-id": text("Id of the request"),
    "x-vmx-revision": text("Configuration revision the answering process serves"),
    ...(hasVersion(answer) ? { ETag: text("Version of the object") } : {}),
  };
}

function problemResponses(codes: readonly ErrorCode[], emit: Emit): Record<string, Node> {
  const byStatus = Map.groupBy(codes, (code) => errorTable[code].status);
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, list]) => [status, {
      description: list.map((code) => `\`${code}\`: ${errorTable[code].title}`).join("; "),
      "x-vmx-codes": list,
      content: { "application/problem+json": { schema: emit(schemas.Problem) } },
    }]),
  );
}

function hasVersion(answer: TSchema | undefined): boolean {
  const properties = isNode(answer) ? answer["properties"] : undefined;
  const version = isNode(properties) ? properties["version"] : undefined;
  return isNode(version) && version["type"] === "integer";
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
