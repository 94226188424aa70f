import { GatewayError } from "../contract/errors.ts";

const networkCodes = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

// PostgreSQL: connection failures, shutdown and start, too many connections, disk full, read-only after a
// failover, statement ended by its timeout. https://www.postgresql.org/docs/18/errcodes-appendix.html
const awayStates = /^(08...|57P0[1-5]|53[1-4]00|25006|57014)$/;

// PostgreSQL: user, password or database is refused, a right is missing. Whatever statement meets them is not at fault.
const refusedStates = /^(28...|3D000|42501)$/;

// A certificate that cannot be verified. https://nodejs.org/api/tls.html#x509-certificate-error-codes
const certificateCodes = /CERT|LEAF_SIGNATURE/;

// PostgreSQL: the schema or a table of it is gone, as while a backup is restored.
const missingStates = /^(3F000|42P01)$/;

// Refusals the driver reports without a code: TLS is not offered, a password is asked for.
const refusedMessages = /does not support SSL|password must be a (non-empty )?string/;

// Failures the driver reports without a code.
const awayMessages =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Query read timeout|connection error and is not queryable|pool after calling end/i;

/**
 * Turns a failure of the database into what callers can act on: `DATABASE_UNAVAILABLE` when it is away,
 * anything else unchanged.
 */
export function databaseError(error: unknown): unknown {
  if (error instanceof GatewayError || !isDatabaseUnavailable(error)) return error;
  return new GatewayError("DATABASE_UNAVAILABLE", "Cannot reach the database", { cause: error });
}

/**
 * Whether the failure says that the database is away, too slow, or that it refuses this process, rather than that a
 * statement is wrong.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof GatewayError) return error.code === "DATABASE_UNAVAILABLE";
  if (error instanceof AggregateError && error.errors.some(isDatabaseUnavailable)) return true;
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (networkCodes.has(code) || awayStates.test(code) || awayMessages.test(error.message)) {
    return true;
  }
  if (missingStates.test(code) || isDatabaseRefused(error)) return true;
  return error.cause !== undefined && isDatabaseUnavailable(error.cause);
}

/** Whether the database, or the way to it, refuses what the settings say: trying again later seldom helps. */
export function isDatabaseRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  // A file the URL names, such as a certificate, and no socket.
  if (code === "ENOENT" && "syscall" in error && error.syscall === "open") return true;
  return refusedStates.test(code) || certificateCodes.test(code) ||
    refusedMessages.test(error.message) || isDatabaseRefused(error.cause);
}

/** Whether the failure says that nobody knows the database's host, which waiting seldom changes. */
export function isHostUnknown(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return codeOf(error) === "ENOTFOUND" || isHostUnknown(error.cause);
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Name of the unique or foreign key constraint a failure broke, such as `workspaces_name_unique`. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  if (error.code !== "23505" && error.code !== "23503") return undefined;
  return "constraint" in error && typeof error.constraint === "string"
    ? error.constraint
    : undefined;
}
