import { buildConnector, Dispatcher, fetch as undiciFetch, Pool } from "undici";
import { GatewayError } from "../contract/errors.ts";
import type { Clock, HttpClient, HttpRequest, HttpResponse } from "../contract/plugin.ts";
import type { EgressGuard } from "./egress.ts";
import { HttpCall } from "./http-call.ts";

/** See `createHttpClient`. */
export interface HttpClientSettings {
  /** Milliseconds to the end of TCP and TLS set-up. A request can only shorten it. */
  readonly connectTimeoutMs: number;
  /** Milliseconds without a byte from the service, before the head as in mid-body. */
  readonly idleTimeoutMs: number;
  /** Judges every URL and every address that is dialled. */
  readonly guard: EgressGuard;
  readonly clock: Clock;
  /** Connections to one origin at most; each serves one call at a time. 1024 when absent. */
  readonly connections?: number;
}

/** The gateway's way out. */
export interface GatewayHttpClient extends HttpClient {
  /** `fetch` over the same guarded pools. Redirects are answered, never followed. */
  readonly fetch: typeof fetch;
  /** Breaks off what is running and closes all sockets. */
  close(): Promise<void>;
}

/** Bytes of answer headers accepted. */
const maxHeaderBytes = 64 * 1024;

/** Bounds of what is remembered per URL and per origin. */
const maxTargets = 2048;
const maxIdleOrigins = 256;

/** Where a URL leads. */
interface Target {
  readonly pool: Pool;
  readonly path: string;
}

/**
 * Makes the pooled HTTP client: one keep-alive pool per origin, time limits per phase, no redirects, no proxies from
 * the environment, plain answers (`accept-encoding: identity` unless the request says otherwise).
 *
 * `send` rejects with a ProviderFailure when no answer came, with the signal's reason when aborted, with
 * `egress_refused` when the guard says no, and with `upstream_invalid_response` when what came is not HTTP; the body
 * rejects likewise. A body must be read to its end, left with `return()` (as `break` does), or aborted.
 */
export function createHttpClient(settings: HttpClientSettings): GatewayHttpClient {
  const { guard, clock } = settings;
  const pools = new Map<string, Pool>();
  const targets = new Map<string, Target>();
  let closed = false;

  function poolOf(url: URL): Pool {
    const existing = pools.get(url.origin);
    if (existing !== undefined) return existing;
    if (closed) throw new GatewayError("shutting_down", "Cannot call the service: shutting down");
    if (pools.size >= maxIdleOrigins) closeIdle();
    const pool = new Pool(url.origin, {
      connections: settings.connections ?? 1024,
      pipelining: 1,
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: settings.idleTimeoutMs,
      bodyTimeout: settings.idleTimeoutMs,
      connect: guardedConnector(guard, url, settings.connectTimeoutMs),
    });
    pools.set(url.origin, pool);
    return pool;
  }

  function closeIdle(): void {
    targets.clear();
    for (const [origin, pool] of pools) {
      if (pool.stats.connected > 0 || pool.stats.size > 0) continue;
      pools.delete(origin);
      pool.destroy().catch(() => {});
    }
  }

  function targetOf(url: string | URL): Target {
    const text = typeof url === "string" ? url : url.href;
    const known = targets.get(text);
    if (known !== undefined) return known;
    const parsed = guard.checkUrl(url);
    const target = { pool: poolOf(parsed), path: parsed.pathname + parsed.search };
    if (targets.size >= maxTargets) targets.clear();
    targets.set(text, target);
    return target;
  }

  function send(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      if (signal.aborted) return reject(signal.reason);
      const target = targetOf(request.url);
      const call = new HttpCall({
        connectTimeoutMs: request.connectTimeoutMs ?? settings.connectTimeoutMs,
        idleTimeoutMs: request.idleTimeoutMs ?? settings.idleTimeoutMs,
        signal,
        clock,
        resolve,
        reject,
      });
      target.pool.dispatch({
        path: target.path,
        method: request.method,
        headers: { "accept-encoding": "identity", ...request.headers },
        body: request.body ?? null,
        // The call keeps its own, finer time limits.
        headersTimeout: 0,
        bodyTimeout: 0,
      }, call);
      call.watch();
    });
  }

  const dispatcher = new PooledDispatcher((origin) => poolOf(guard.checkUrl(origin)));

  async function guardedFetch(
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> {
    const request = input instanceof Request ? new Request(input, init) : undefined;
    const url = guard.checkUrl(request?.url ?? (input as string | URL));
    const body = request?.body == null ? undefined : await request.arrayBuffer();
    const options = request === undefined ? init : {
      method: request.method,
      headers: [...request.headers],
      signal: request.signal,
      body,
    };
    const redirect = init?.redirect === "error" ? "error" : "manual";
    const settled = { ...options, redirect, dispatcher } as Parameters<typeof undiciFetch>[1];
    return await undiciFetch(url, settled) as unknown as Response;
  }

  async function close(): Promise<void> {
    closed = true;
    const open = [...pools.values()];
    pools.clear();
    targets.clear();
    await Promise.all(open.map((pool) => pool.destroy()));
  }

  return { send, fetch: guardedFetch as typeof fetch, close };
}

/** Lets `fetch` use the pools. */
class PooledDispatcher extends Dispatcher {
  readonly #poolOf: (origin: string | URL) => Pool;

  constructor(poolOf: (origin: string | URL) => Pool) {
    super();
    this.#poolOf = poolOf;
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    return this.#poolOf(options.origin ?? "").dispatch(options, handler);
  }
}

/** Dials only what the guard lets pass: literal addresses here, names in the lookup. */
function guardedConnector(
  guard: EgressGuard,
  origin: URL,
  timeout: number,
): buildConnector.connector {
  const port = Number(origin.port || (origin.protocol === "http:" ? 80 : 443));
  const lookup = guard.lookup(port) as NonNullable<
    Extract<buildConnector.BuildOptions, { lookup?: unknown }>["lookup"]
  >;
  const connect = buildConnector({ allowH2: false, timeout, lookup, port });
  return (options, callback) => {
    try {
      guard.checkHost(options.hostname, port);
    } catch (error) {
      queueMicrotask(() => callback(error as Error, null));
      return;
    }
    connect(options, callback);
  };
}
