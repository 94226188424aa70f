import type { CapacityStore } from "./capacity-store.ts";
import type { Dialect } from "./dialect.ts";
import type { Encryption } from "./encryption.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import type { Interceptor } from "./interceptor.ts";
import type { MetricSink } from "./metric-sink.ts";
import type { Prioritization } from "./prioritization.ts";
import type { Provider } from "./provider.ts";
import type { RoutingEvaluator } from "./routing.ts";
import type { SharedState } from "./shared-state.ts";

/** Every contribution point with the contract its implementations obey. */
export interface ContributionPoints {
  dialects: Dialect;
  providers: Provider;
  capacityStores: CapacityStore;
  sharedStates: SharedState;
  prioritizations: Prioritization;
  encryptions: Encryption;
  routings: RoutingEvaluator;
  metricSinks: MetricSink;
  identityProviders: IdentityProvider;
  interceptors: Interceptor;
}

/** The name of a contribution point. */
export type ContributionPoint = keyof ContributionPoints;

/** All names, for manifests and loops. */
export const contributionPoints = [
  "dialects",
  "providers",
  "capacityStores",
  "sharedStates",
  "prioritizations",
  "encryptions",
  "routings",
  "metricSinks",
  "identityProviders",
  "interceptors",
] as const satisfies readonly ContributionPoint[];

/** What a plugin module exports as its default. Make it with `definePlugin`. */
export interface Plugin {
  /** Provides what the manifest announced. Called once, on first need. */
  activate(context: PluginContext): void | Promise<void>;
}

/** All that a plugin is given. */
export interface PluginContext {
  /** The plugin's settings, validated against its manifest's schema; secret fields are `Secret` values. */
  readonly config: Readonly<Record<string, unknown>>;
  /** A log whose lines carry the plugin's id. */
  readonly log: Log;
  /** HTTP through the gateway's egress guard. */
  readonly fetch: typeof fetch;
  /** Pooled HTTP for the hot path, through the same guard. */
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Aborted when the gateway shuts down. */
  readonly signal: AbortSignal;
  /** The installation's data directory, mode 0700. */
  readonly dataDir: string;
  /** Called when the plugin is disposed of, in reverse order of registration. */
  onDispose(dispose: () => void | Promise<void>): void;
  /** Hands over the implementation of a contribution the manifest announced. Throws when it did not. */
  provide<Point extends ContributionPoint>(
    point: Point,
    id: string,
    implementation: ContributionPoints[Point],
  ): void;
}

/** A structured log. Fields never hold secrets or message text. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Fields of a log line; an `Error` is written with its chain of causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Time, so that tests can hold it. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

/** Pooled HTTP. Rejects with a ProviderFailure when no answer came, or with the signal's reason. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
}

/** One HTTP request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string | URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** Milliseconds to the end of TCP and TLS set-up; the client's default when absent. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds without a byte from the service; the client's default when absent. */
  readonly idleTimeoutMs?: number;
}

/** One HTTP answer; lower-case header names. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Marks a plugin's definition; the default export of a plugin's entry module.
 *
 * @example
 * export default definePlugin({
 *   activate(context) {
 *     context.provide("providers", "acme", createAcmeProvider(context.http));
 *   },
 * });
 */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}
