import { createServer } from "node:http";
import Koa from "koa";
import { v7 as uuidv7 } from "uuid";
import type { Log } from "../contract/index.ts";
import { problemOf } from "../management/problem.ts";
import { bind } from "./bind.ts";
import { type DataPlane, shuttingDown } from "./data-plane.ts";
import { createCors } from "./cors.ts";
import { answerHealth, type ReadinessSource } from "./health.ts";
import { writeAnswer } from "./problem.ts";
import { headFault } from "./request-head.ts";
import { createSecurityHeaders } from "./security-headers.ts";

/** The HTTP server. */
export interface HttpServer {
  /** The address it listens on. */
  readonly url: string;
  /** Stops taking connections and waits for running answers at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** What the server answers with. */
export interface HttpParts {
  readonly dataPlane: DataPlane;
  /** Middleware of the management plane and whatever else is served beside the data plane. */
  readonly middleware: readonly Koa.Middleware[];
  readonly readiness: ReadinessSource;
  /** True while new requests must be refused because the gateway leaves; never when absent. */
  readonly refusing?: () => boolean;
  readonly log: Log;
  /** `VMX_PUBLIC_URL`, when it is set. */
  readonly publicUrl?: string | undefined;
  /** Origins whose pages may call; none when absent. */
  readonly corsOrigins?: readonly string[];
}

/** Longest head of a request, in bytes. */
const maxHeadBytes = 16_384;

/**
 * Listens on `host:port`; port 0 takes a free one. The data plane comes first, before any middleware: it writes its
 * answers by itself.
 *
 * Throws a StartError when the port is taken.
 */
export async function listen(host: string, port: number, parts: HttpParts): Promise<HttpServer> {
  const app = new Koa();
  app.on("error", (error: NodeJS.ErrnoException) => {
    // Koa reports every reader who leaves early; that is no fault.
    const left = error.code === "ERR_STREAM_PREMATURE_CLOSE" || error.code === "ECONNRESET" ||
      error.code === "EPIPE";
    if (!left) parts.log.error("Cannot answer a request", { error });
  });
  app.use(createSecurityHeaders(parts.publicUrl));
  app.use((context, next) => {
    const fault = headFault(context.req);
    if (!fault) return next();
    context.set("connection", "close");
    const place = { instance: context.path.slice(0, 500), requestId: uuidv7() };
    writeAnswer(context, problemOf(fault, place, parts.log));
  });
  app.use(async (context, next) => {
    const health = await answerHealth(context, parts.readiness);
    if (!health) return await next();
    context.status = health.status;
    context.set("cache-control", "no-store");
    context.body = health.body;
  });
  app.use((context, next) => {
    if (!parts.refusing?.()) return next();
    // A reader of events who came back on its connection time and again would hold the gateway up.
    context.set("connection", "close");
    const place = { instance: context.path.slice(0, 500), requestId: uuidv7() };
    writeAnswer(context, problemOf(shuttingDown(), place, parts.log));
  });
  for (const middleware of parts.middleware) app.use(middleware);

  const others = app.callback();
  const cors = createCors(parts.corsOrigins ?? []);
  const server = createServer({
    keepAliveTimeout: 65_000,
    maxHeaderSize: maxHeadBytes,
    insecureHTTPParser: false,
  }, (request, response) => {
    if (cors(request, response)) return;
    if (!parts.dataPlane(request, response)) others(request, response);
  });
  const url = await bind(server, host, port, "PORT");
  return {
    url,
    async stop(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const force = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(force);
    },
  };
}
