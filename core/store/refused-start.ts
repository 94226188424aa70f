import type { Secret } from "../kit/secret.ts";
import { StartError } from "../start-error.ts";

/** How the database is reached, as the settings say. */
export interface DatabaseSettings {
  /** Undefined for the embedded database, which refuses nobody. */
  readonly url: Secret | undefined;
  readonly schema: string;
}

/**
 * What a failed start means when the database refused it for what the settings say: a sentence that names the setting
 * and what to do. Undefined for other failures. It shows host, user and name of the database, never the password.
 */
export function refusedByDatabase(
  error: unknown,
  { url, schema }: DatabaseSettings,
): StartError | undefined {
  if (!url || error instanceof StartError) return undefined;
  const place = placeOf(url.reveal());
  for (const failure of causes(error)) {
    const reason = reasonOf(failure, place, schema);
    if (reason) return new StartError(`Cannot start: ${reason}`, { cause: error });
  }
  return undefined;
}

interface Place {
  readonly host: string;
  readonly user: string;
  readonly name: string;
}

/** A failure of the system or of PostgreSQL. */
type Failure = Error & {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly path?: unknown;
};

// https://www.postgresql.org/docs/18/errcodes-appendix.html and https://nodejs.org/api/tls.html#x509-certificate-error-codes
function reasonOf(failure: Failure, { host, user, name }: Place, schema: string) {
  const { code, syscall, path, message } = failure;
  if (code === "ENOTFOUND") {
    return `the host "${host}" in DATABASE_URL is not known: correct its name`;
  }
  if (code === "ENOENT" && syscall === "open") {
    return `DATABASE_URL names the file "${path}", which does not exist: correct its path`;
  }
  if (code === "28P01") {
    return `the database refuses the password of user "${user}": correct user and password in DATABASE_URL`;
  }
  if (code === "28000") {
    return `the database does not let user "${user}" of DATABASE_URL in (${message}): ` +
      "name another user, or allow this one there";
  }
  if (code === "3D000") {
    return `the database "${name}" named in DATABASE_URL does not exist: create it, or name another`;
  }
  if (code === "42501") {
    return `user "${user}" of DATABASE_URL may not create schema "${schema}" and its tables: grant CREATE on ` +
      `database "${name}", or name a schema of the user's own with VMX_DATABASE_SCHEMA`;
  }
  if (typeof code === "string" && /CERT|LEAF_SIGNATURE/.test(code)) {
    return `the certificate of the database in DATABASE_URL cannot be verified (${message}): name the file of its ` +
      "authority with sslrootcert in the URL, or correct the host";
  }
  if (/server does not support SSL/.test(message)) {
    return "DATABASE_URL asks for TLS and the database does not offer it: switch it on there, or correct sslmode";
  }
  if (/password must be a (non-empty )?string/.test(message)) {
    return "the database asks for a password and DATABASE_URL has none: add it behind the user";
  }
  return undefined;
}

function placeOf(text: string): Place {
  const url = URL.parse(text);
  const user = decodeURIComponent(url?.username ?? "") || "of the operating system";
  const name = decodeURIComponent(url?.pathname.slice(1) ?? "") || user;
  return { host: url?.hostname ?? "", user, name };
}

/** The failure and what is behind it, the innermost first: what is wrapped tells most. */
function causes(error: unknown, depth = 0): Failure[] {
  if (!(error instanceof Error) || depth > 10) return [];
  const several = error instanceof AggregateError ? error.errors : [];
  return [...[error.cause, ...several].flatMap((one) => causes(one, depth + 1)), error];
}
