import { type ErrorCode, errorTable, GatewayError } from "../contract/errors.ts";
import type { Log } from "../contract/plugin.ts";
import { databaseError, violatedConstraint } from "../store/database-error.ts";

/** An error answer before it is written. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Turns whatever was thrown into an `application/problem+json` answer. Unknown errors are logged, not told. */
export function problemOf(
  thrown: unknown,
  place: { readonly instance: string; readonly requestId: string },
  log: Log,
): ProblemAnswer {
  const error = translate(databaseError(thrown));
  if (error.status >= 500) {
    log.error("Cannot answer a management request", { error: thrown, ...place });
  }
  const { title, status } = errorTable[error.code];
  const faults = error.faults?.map((fault) => ({ ...fault }));
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(error.retryAfterSeconds === undefined
        ? {}
        : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterSeconds))) }),
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    },
    body: {
      ...error.details,
      type: `/problems/${error.code}`,
      title,
      status,
      detail: error.code === "INTERNAL_ERROR" ? "Something went wrong" : error.message,
      instance: place.instance,
      code: error.code,
      requestId: place.requestId,
      ...(faults ? { errors: faults } : {}),
    },
  };
}

// Codes of the data plane that reach this one through shared parts, in this plane's words.
const otherNames: Partial<Record<ErrorCode, ErrorCode>> = {
  egress_refused: "EGRESS_REFUSED",
  credential_unavailable: "ENCRYPTION_UNAVAILABLE",
  request_too_large: "BODY_TOO_LARGE",
  unsupported_media_type: "UNSUPPORTED_MEDIA_TYPE",
  unknown_error: "INTERNAL_ERROR",
};

function translate(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) {
    const code = otherNames[thrown.code];
    if (code === undefined) return thrown;
    return new GatewayError(code, thrown.message, {
      cause: thrown,
      ...(thrown.faults ? { faults: thrown.faults } : {}),
    });
  }
  const constraint = violatedConstraint(thrown);
  const code = constraint === undefined ? undefined : codeOfConstraint(constraint);
  if (code) return new GatewayError(code, sentences[code]!, { cause: thrown });
  return new GatewayError("INTERNAL_ERROR", "Something went wrong", { cause: thrown });
}

const uniqueNames: Readonly<Record<string, ErrorCode>> = {
  workspaces_name_unique: "WORKSPACE_ALREADY_EXISTS",
  environments_name_unique: "ENVIRONMENT_ALREADY_EXISTS",
  ai_connections_name_unique: "AI_CONNECTION_ALREADY_EXISTS",
  ai_resources_name_unique: "AI_RESOURCE_ALREADY_EXISTS",
  api_keys_name_unique: "API_KEY_ALREADY_EXISTS",
  roles_name_unique: "ROLE_ALREADY_EXISTS",
  users_username_unique: "USER_USERNAME_IN_USE",
  users_email_unique: "USER_EMAIL_IN_USE",
  personal_access_tokens_name_unique: "TOKEN_ALREADY_EXISTS",
};

// What a row refers to was deleted between the look at the snapshot and the transaction.
const foreignKeys: readonly (readonly [suffix: string, code: ErrorCode])[] = [
  ["_environment_id_fkey", "ENVIRONMENT_NOT_FOUND"],
  ["_workspace_id_fkey", "WORKSPACE_NOT_FOUND"],
  ["_user_id_fkey", "USER_NOT_FOUND"],
  ["_role_id_fkey", "ROLE_NOT_FOUND"],
  ["_resource_id_fkey", "AI_RESOURCE_NOT_FOUND"],
  ["_api_key_id_fkey", "API_KEY_NOT_FOUND"],
];

const sentences: Partial<Record<ErrorCode, string>> = Object.fromEntries(
  [...Object.values(uniqueNames), ...foreignKeys.map(([, code]) => code)]
    .map((code) => [code, errorTable[code].title]),
);

function codeOfConstraint(constraint: string): ErrorCode | undefined {
  return uniqueNames[constraint] ??
    foreignKeys.find(([suffix]) => constraint.endsWith(suffix))?.[1];
}
