import { Secret } from "./secret.ts";

/** What a connection's configuration tells about where and how to call. */
export interface ServiceEndpointSettings {
  /** Address below which the service answers; may carry a query. */
  readonly baseUrl: string;
  /** Sent as `authorization: Bearer`. */
  readonly bearer?: Secret | string | undefined;
  /** Headers of the service itself, lower-case names. */
  readonly fixed?: Readonly<Record<string, string | undefined>>;
  /** The connection's own headers; those that would change the destination, the framing or the credential are left out. */
  readonly headers?: unknown;
}

/** Where a connection's requests go and what they carry. */
export interface ServiceEndpoint {
  /** The address of a path; `query` without `?` cannot change members of the base URL's own query. */
  url(path: string, query?: string): string;
  /** All headers of a request; the caller's never win over the connection's. */
  headers(caller: Readonly<Record<string, string>>): Record<string, string>;
}

/** Headers the connection does not decide: destination, credential, framing. */
const reserved = new Set([
  "host",
  "authorization",
  "content-length",
  "content-type",
  "connection",
  "expect",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Reads a connection's configuration once, so that a request only joins texts. */
export function createServiceEndpoint(settings: ServiceEndpointSettings): ServiceEndpoint {
  const [base = "", baseQuery = ""] = settings.baseUrl.split("?", 2);
  const trimmed = base.replace(/\/+$/, "");
  const ownQuery = new URLSearchParams(baseQuery);
  const own: Record<string, string> = {
    "accept": "application/json",
    "content-type": "application/json",
    "user-agent": "vmx-gateway",
  };
  for (const [name, value] of Object.entries(settings.fixed ?? {})) {
    if (value !== undefined) own[name] = value;
  }
  for (const [name, value] of Object.entries(settings.headers ?? {})) {
    const lower = name.toLowerCase();
    if (!reserved.has(lower)) own[lower] = reveal(value);
  }
  // A custom authorization header cannot exist, so no credential means none at all.
  if (settings.bearer !== undefined) own["authorization"] = `Bearer ${reveal(settings.bearer)}`;

  return {
    url(path, query) {
      if (baseQuery === "") return query ? `${trimmed}${path}?${query}` : trimmed + path;
      const more = new URLSearchParams(query ?? "");
      for (const name of ownQuery.keys()) more.delete(name);
      const text = more.size === 0 ? baseQuery : `${baseQuery}&${more}`;
      return `${trimmed}${path}?${text}`;
    },
    headers(caller) {
      const headers = { ...caller, ...own };
      if (own["authorization"] === undefined) delete headers["authorization"];
      return headers;
    },
  };
}

function reveal(value: unknown): string {
  return value instanceof Secret ? value.reveal() : String(value);
}
