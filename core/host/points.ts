import type { ContributionPoint } from "../contract/index.ts";

/** What the host knows about a contribution point. */
export interface PointFacts {
  /** One contribution in words, for messages. */
  readonly label: string;
  /** The activation event its use fires, before the colon. */
  readonly event: string;
  /** Members an implementation must have, with their types. */
  readonly members: Readonly<
    Record<string, "function" | "array" | "boolean" | "number" | "string">
  >;
}

const fn = "function" as const;

/** Facts of every contribution point. */
export const points: Readonly<Record<ContributionPoint, PointFacts>> = {
  dialects: {
    label: "dialect",
    event: "onDialect",
    members: {
      id: "string",
      operations: "array",
      decodeRequest: fn,
      encodeRequest: fn,
      requestPath: fn,
      decodeResponse: fn,
      encodeResponse: fn,
      streamDecoder: fn,
      streamEncoder: fn,
      decodeError: fn,
      readAnswer: fn,
    },
  },
  providers: {
    label: "provider",
    event: "onProvider",
    members: { operations: "array", dialects: fn, send: fn },
  },
  capacityStores: {
    label: "capacity store",
    event: "onCapacityStore",
    members: {
      shared: "boolean",
      reserve: fn,
      settle: fn,
      release: fn,
      expire: fn,
      read: fn,
      top: fn,
      add: fn,
      dump: fn,
      restore: fn,
      reset: fn,
      readPools: fn,
      casShares: fn,
      close: fn,
    },
  },
  sharedStates: {
    label: "shared state",
    event: "onSharedState",
    members: {
      shared: "boolean",
      get: fn,
      set: fn,
      delete: fn,
      increment: fn,
      lease: fn,
      release: fn,
      publish: fn,
      subscribe: fn,
      heartbeat: fn,
      processes: fn,
      close: fn,
    },
  },
  prioritizations: {
    label: "prioritization",
    event: "onPrioritization",
    members: { recompute: fn },
  },
  encryptions: {
    label: "encryption",
    event: "onEncryption",
    members: {
      keyVersion: "number",
      keyVersions: "array",
      seal: fn,
      open: fn,
      rewrap: fn,
      versionOf: fn,
      fingerprint: fn,
    },
  },
  routings: { label: "routing", event: "onRouting", members: { compile: fn } },
  metricSinks: {
    label: "metric sink",
    event: "onMetricSink",
    members: { record: fn, flush: fn, close: fn },
  },
  identityProviders: {
    label: "identity provider",
    event: "onIdentityProvider",
    members: { label: "string", begin: fn, complete: fn },
  },
  interceptors: { label: "interceptor", event: "onInterceptor", members: {} },
};

/** The event that the need of one contribution fires, such as `onProvider:acme`. */
export function activationEvent(point: ContributionPoint, id: string): string {
  return `${points[point].event}:${id}`;
}

/** Names the members an implementation lacks or has with another type; empty when it is complete. */
export function missingMembers(point: ContributionPoint, implementation: unknown): string[] {
  if (typeof implementation !== "object" || implementation === null) return ["an object"];
  const value = implementation as Record<string, unknown>;
  return Object.entries(points[point].members)
    .filter(([name, type]) => typeName(value[name]) !== type)
    .map(([name, type]) => type === "function" ? `${name}()` : name);
}

function typeName(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}
