import Router from "@koa/router";
import type { Context, Middleware, Next } from "koa";
import type { IncomingMessage } from "node:http";
import { GatewayError } from "../contract/errors.ts";
import type { Access } from "../management/access.ts";
import type { ReEncryption } from "../management/keys/re-encryption.ts";
import {
  createDocsPage,
  createManagementPlane,
  EventStream,
  type ManagementRequest,
  type ManagementServices,
} from "../management/index.ts";
import { createEventBodies } from "./event-body.ts";
import { createOwnOrigin, type OwnOrigin } from "./own-origin.ts";
import { writeAnswer } from "./problem.ts";
import type { IsTrusted, SourceAddress } from "./source-address.ts";

/** What the management plane needs to be served over HTTP. */
export interface ManagementParts extends ManagementServices {
  readonly sourceAddress: SourceAddress;
  /** Whose forwarding headers tell the origin; nobody's when absent. */
  readonly isTrustedProxy?: IsTrusted;
}

/** The management plane over HTTP. */
export interface Management {
  /** Answers every path below `/api`; all others go on. */
  readonly middleware: Middleware;
  readonly access: Access;
  /** To be watched by a process that serves. */
  readonly reEncryption: ReEncryption;
  /** Ends the streams of events that are followed. */
  endStreams(): void;
  /** The origin a browser reached the gateway under. */
  readonly origin: OwnOrigin;
}

/** Binds the route table of the management plane to Koa. */
export function createManagement(parts: ManagementParts): Management {
  const management = createManagementPlane(parts);
  const origin = createOwnOrigin(parts.config.publicUrl, parts.isTrustedProxy ?? (() => false));
  const toRequest = requestReader(parts.sourceAddress, origin);
  const bodies = createEventBodies();
  const router = new Router({ sensitive: true, strict: true });
  for (const route of management.routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ":$1");
    router.register(path, [route.method], async (context: Context & { params?: unknown }) => {
      const params = (context.params ?? {}) as Readonly<Record<string, string>>;
      const answer = await management.answer(route, toRequest(context, params));
      // The rest of a body that was too large is not waited for.
      if (answer.status === 413) context.set("connection", "close");
      writeAnswer(context, bodies.open(answer));
      // A reader of events learns at once that the stream is open, however long the first event takes.
      if (answer.body instanceof EventStream) context.flushHeaders();
    });
  }
  const docs = createDocsPage(management.openApi);
  const dispatch = router.routes();
  const known = router.stack.map(({ path, methods, regexp }) => ({ path, methods, regexp }));

  const middleware: Middleware = async (context: Context, next: Next) => {
    if (context.path !== "/api" && !context.path.startsWith("/api/")) return await next();
    if (context.path === "/api/docs" && (context.method === "GET" || context.method === "HEAD")) {
      context.type = "html";
      context.set("content-security-policy", docs.contentSecurityPolicy);
      context.set("cache-control", "no-cache");
      context.body = docs.html;
      return;
    }
    try {
      await dispatch(
        context as unknown as Parameters<typeof dispatch>[0],
        // Nothing else lives below /api: what the router does not know does not exist.
        () => Promise.resolve(refuse(context)),
      );
    } catch (error) {
      writeAnswer(context, management.refuse(error, { path: context.path }));
    }
  };

  const { access, reEncryption } = management;
  return { middleware, access, reEncryption, origin, endStreams: () => bodies.end() };

  function refuse(context: Context): void {
    const methods = new Set(
      known.filter(({ regexp }) => regexp.test(context.path)).flatMap((entry) => entry.methods),
    );
    const error = methods.size === 0
      ? new GatewayError(
        "ROUTE_NOT_FOUND",
        `No operation has the path ${context.path.slice(0, 200)}`,
      )
      : new GatewayError(
        "METHOD_NOT_ALLOWED",
        `The path takes ${[...methods].join(", ")}, not ${context.method}`,
      );
    writeAnswer(context, management.refuse(error, { path: context.path.slice(0, 500) }));
    if (methods.size > 0) context.set("allow", [...methods].join(", "));
  }
}

function requestReader(sourceAddress: SourceAddress, origin: Management["origin"]) {
  return (context: Context, params: Readonly<Record<string, string>>): ManagementRequest => {
    const { req } = context;
    // Only set-cookie is a list in Node's headers, and requests have none.
    const headers = req.headers as Readonly<Record<string, string | undefined>>;
    return {
      method: context.method,
      path: context.path,
      params,
      query: { ...context.query },
      headers,
      duplicateCredential: hasDuplicateCredential(req.rawHeaders),
      sourceIp: sourceAddress(req.socket.remoteAddress, headers["x-forwarded-for"]),
      origin: origin(headers, req.socket.remoteAddress),
      readBody: (maxBytes) => readBody(req, maxBytes),
    };
  };
}

function hasDuplicateCredential(rawHeaders: readonly string[]): boolean {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  return ["authorization", "x-api-key"].some((name) =>
    names.indexOf(name) !== names.lastIndexOf(name)
  );
}

/** Reads a body. What exceeds the limit is refused at once; the rest flows away unread until the answer is out. */
function readBody(req: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = () => {
      req.off("data", onData);
      req.resume();
      reject(
        new GatewayError("BODY_TOO_LARGE", `Cannot read the body: it exceeds ${maxBytes} bytes`),
      );
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) refuse();
      else chunks.push(chunk);
    };
    if (Number(req.headers["content-length"] ?? 0) > maxBytes) return refuse();
    req.on("data", onData);
    req.once("end", () => resolve(Buffer.concat(chunks)));
    req.once("error", () => reject(left()));
    req.once("close", () => reject(left()));
  });
}

function left(): GatewayError {
  return new GatewayError("VALIDATION_FAILED", "Cannot read the body: the client left");
}
