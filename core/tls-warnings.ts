import type { Environment } from "./setting-reader.ts";

/** Connection URLs by the variable they come from. */
export type ConnectionUrls = Readonly<Record<string, string | undefined>>;

/**
 * A sentence for each setting that switches the verification of certificates off. Who reads the line of such a
 * connection can pretend to be the server at its end.
 */
export function tlsWarnings(urls: ConnectionUrls, environment: Environment): string[] {
  const warnings = Object.entries(urls).flatMap(([variable, url]) => {
    const setting = url === undefined ? undefined : unverified(url);
    return setting === undefined
      ? []
      : [`${variable} holds ${setting}: the database's certificate is not verified`];
  });
  if (environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    warnings.push("NODE_TLS_REJECT_UNAUTHORIZED is 0: no certificate is verified anywhere");
  }
  return warnings;
}

/** The parameters of a PostgreSQL URL that switch verification off in the driver. */
function unverified(url: string): string | undefined {
  const parameters = URL.parse(url)?.searchParams;
  const mode = parameters?.get("sslmode");
  if (mode === "no-verify") return "sslmode=no-verify";
  const likeLibpq = parameters?.get("uselibpqcompat") === "true";
  return likeLibpq && (mode === "require" || mode === "prefer")
    ? `uselibpqcompat=true&sslmode=${mode}`
    : undefined;
}
