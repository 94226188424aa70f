import { createServer } from "node:http";
import type { Middleware } from "koa";
import type { Exposition, Log } from "../contract/index.ts";
import { v7 as uuidv7 } from "uuid";
import { problemOf } from "../management/problem.ts";
import { bind } from "./bind.ts";
import type { AuthorizeSystem } from "./may-read-system.ts";
import { writeAnswer } from "./problem.ts";

/** Where metrics are fetched. */
export const metricsPath = "/metrics";

/** The metrics as text; undefined while they cannot be made. */
export type Expose = () => Promise<Exposition | undefined>;

/** The server of the metrics port. */
export interface MetricsServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Slow readers are not waited for: an answer is made at once and of bounded size. */
const requestTimeoutMs = 10_000;

/**
 * Serves metrics on a port of their own, to everybody who reaches it. Throws a StartError when the port is taken.
 */
export async function listenForMetrics(
  host: string,
  port: number,
  expose: Expose,
  log: Log,
): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    const path = request.url?.split("?")[0];
    request.resume();
    const plain = { "content-type": "text/plain; charset=utf-8" };
    if (path !== metricsPath) return void response.writeHead(404, plain).end("Not found\n");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return void response.writeHead(405, { ...plain, allow: "GET, HEAD" }).end("Only GET\n");
    }
    expose().then((metrics) => {
      if (!metrics) return response.writeHead(503, plain).end("Metrics are not available\n");
      response.writeHead(200, { "content-type": metrics.contentType }).end(metrics.text);
    }).catch((error: unknown) => {
      log.error("Cannot write the metrics", { error });
      response.writeHead(500, plain).end("Something went wrong\n");
    });
  });
  const url = await bind(server, host, port, "VMX_METRICS_PORT");
  return {
    url: `${url}${metricsPath}`,
    stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/**
 * Serves metrics on the gateway's own port, to holders of `system:get` alone.
 *
 * @param authorize throws a GatewayError for everybody else
 */
export function createMetricsMiddleware(
  expose: Expose,
  authorize: AuthorizeSystem,
  log: Log,
): Middleware {
  return async (context, next) => {
    if (context.path !== metricsPath || (context.method !== "GET" && context.method !== "HEAD")) {
      return await next();
    }
    try {
      await authorize(context);
    } catch (error) {
      const place = { instance: context.path, requestId: uuidv7() };
      return writeAnswer(context, problemOf(error, place, log));
    }
    const metrics = await expose();
    context.status = metrics ? 200 : 503;
    context.type = metrics?.contentType ?? "text/plain; charset=utf-8";
    context.set("cache-control", "no-store");
    context.body = metrics?.text ?? "Metrics are not available\n";
  };
}
