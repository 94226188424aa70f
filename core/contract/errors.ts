import type { JsonObject } from "./json.ts";

/** What kind of failure a code is. Dialects turn it into their own error type. */
export type ErrorKind =
  | "invalid-request"
  | "authentication"
  | "permission"
  | "not-found"
  | "conflict"
  | "too-large"
  | "rate-limit"
  | "timeout"
  | "overloaded"
  | "internal";

interface ErrorEntry {
  readonly status: number;
  readonly kind: ErrorKind;
  /** A leg that fails with this code lets the next leg try. */
  readonly fallsBack?: true;
  readonly title: string;
}

const invalid = (title: string, fallsBack?: true): ErrorEntry =>
  entry(400, "invalid-request", title, fallsBack);
const missing = (title: string, fallsBack?: true): ErrorEntry =>
  entry(404, "not-found", title, fallsBack);
const conflict = (title: string): ErrorEntry => entry(409, "conflict", title);

/**
 * Every error code of the gateway, on both planes, with its status and kind.
 * Codes are stable: clients and scripts branch on them.
 */
export const errorTable = {
  // Data plane: the request itself
  invalid_request: invalid("The request is not valid"),
  environment_required: invalid("The environment must be named in the path"),
  COMPLETION_SECONDARY_MODEL_NOT_FOUND: invalid("The secondary model does not exist"),
  blocked_by_routing_condition: invalid("A routing condition blocks the request"),
  model_not_allowed: invalid("The connection does not allow the model", true),
  operation_not_supported: invalid("The operation is not supported", true),
  translation_loss: invalid("The request cannot be translated without loss", true),
  unsupported_content: invalid("The content is not supported", true),
  state_not_portable: invalid("The state belongs to another provider", true),
  bad_image_url: invalid("The image cannot be fetched", true),
  egress_refused: invalid("The address must not be called", true),
  // Data plane: who asks
  invalid_api_key: entry(401, "authentication", "The API key is not valid"),
  api_key_disabled: entry(401, "authentication", "The API key is disabled"),
  api_key_expired: entry(401, "authentication", "The API key has expired"),
  API_KEY_RESOURCE_NOT_AUTHORIZED: entry(
    403,
    "permission",
    "The API key may not call the resource",
  ),
  NOT_AUTHORIZED: entry(403, "permission", "The caller lacks the right"),
  overrides_not_allowed: entry(403, "permission", "Overrides are not allowed"),
  ad_hoc_not_allowed: entry(403, "permission", "Ad-hoc calls are not allowed"),
  // Data plane: what is asked for
  AI_RESOURCE_NOT_FOUND: missing("The AI resource does not exist"),
  ENVIRONMENT_NOT_FOUND: missing("The environment does not exist"),
  AI_CONNECTION_NOT_FOUND: missing("The AI connection does not exist", true),
  connection_disabled: missing("The AI connection is disabled", true),
  model_not_found: missing("The model does not exist", true),
  ROUTE_NOT_FOUND: missing("No such path"),
  METHOD_NOT_ALLOWED: entry(405, "invalid-request", "The path does not take this method"),
  request_too_large: entry(413, "too-large", "The request is too large"),
  unsupported_media_type: entry(415, "invalid-request", "The content type is not supported"),
  resource_exhausted: entry(429, "rate-limit", "A capacity limit is reached", true),
  prioritization_gate_denied: entry(429, "rate-limit", "The pool's share is used up", true),
  too_many_requests: entry(429, "rate-limit", "Too many refused requests"),
  // Data plane: what went wrong on the way
  upstream_error: entry(502, "internal", "The provider failed", true),
  upstream_authentication_error: entry(
    502,
    "internal",
    "The provider refused the credential",
    true,
  ),
  upstream_unreachable: entry(502, "internal", "The provider cannot be reached", true),
  upstream_invalid_response: entry(502, "internal", "The provider's answer is not valid", true),
  leg_timeout: entry(504, "timeout", "The model took too long", true),
  request_timeout: entry(504, "timeout", "The request took too long"),
  capacity_store_unavailable: entry(503, "overloaded", "The capacity store is away", true),
  credential_unavailable: entry(503, "overloaded", "The credential cannot be opened", true),
  shutting_down: entry(503, "overloaded", "The gateway is shutting down"),
  audit_unavailable: entry(503, "overloaded", "The audit trail cannot be written"),
  client_closed_request: entry(499, "invalid-request", "The client left"),
  unknown_error: entry(500, "internal", "Something went wrong", true),
  // Management plane
  VALIDATION_FAILED: invalid("The input is not valid"),
  INVALID_CURSOR: invalid("The cursor is not valid"),
  AI_CONNECTION_CONFIG_INVALID: invalid("The connection's configuration is not valid"),
  AI_PROVIDER_NOT_FOUND: invalid("The provider does not exist"),
  POOL_DEFINITION_INVALID: invalid("The pool definition is not valid"),
  EXPRESSION_INVALID: invalid("The expression is not valid"),
  POLICY_INVALID: invalid("The policy is not valid"),
  USAGE_QUERY_INVALID: invalid("The usage query is not valid"),
  CONFIG_DOCUMENT_INVALID: invalid("The configuration document is not valid"),
  EGRESS_REFUSED: invalid("The address must not be called"),
  PASSWORD_TOO_WEAK: invalid("The password is too weak"),
  OIDC_NOT_CONFIGURED: invalid("Federated login is not configured"),
  OIDC_RESPONSE_ERROR: invalid("The identity provider's answer is not valid"),
  OIDC_EMAIL_NOT_AVAILABLE: invalid("The identity provider sent no email"),
  OIDC_EMAIL_MISMATCH: invalid("The email belongs to another user"),
  NOT_AUTHENTICATED: entry(401, "authentication", "Authentication is required"),
  INVALID_CREDENTIALS: entry(401, "authentication", "The credentials are not valid"),
  SESSION_EXPIRED: entry(401, "authentication", "The session has expired"),
  TOKEN_EXPIRED: entry(401, "authentication", "The token has expired"),
  WORKSPACE_OWNER_REQUIRED: entry(403, "permission", "Only an owner may do this"),
  PRIVILEGE_ESCALATION: entry(403, "permission", "Nobody grants what they do not hold"),
  API_KEY_CANNOT_MANAGE: entry(403, "permission", "API keys cannot manage the gateway"),
  CSRF_TOKEN_INVALID: entry(403, "permission", "The CSRF token is not valid"),
  PASSWORD_CHANGE_REQUIRED: entry(403, "permission", "The password must be changed first"),
  USER_INACTIVE: entry(403, "permission", "The user is inactive"),
  WORKSPACE_NOT_FOUND: missing("The workspace does not exist"),
  API_KEY_NOT_FOUND: missing("The API key does not exist"),
  POOL_DEFINITION_NOT_FOUND: missing("The pool definition does not exist"),
  USER_NOT_FOUND: missing("The user does not exist"),
  ROLE_NOT_FOUND: missing("The role does not exist"),
  TOKEN_NOT_FOUND: missing("The token does not exist"),
  COMPLETION_BATCH_NOT_FOUND: missing("The batch does not exist"),
  COMPLETION_BATCH_ITEM_NOT_FOUND: missing("The batch item does not exist"),
  AUDIT_ROW_NOT_FOUND: missing("The audit row does not exist"),
  PRICE_LIST_NOT_FOUND: missing("The price list does not exist"),
  PLUGIN_NOT_FOUND: missing("The plugin does not exist"),
  WORKSPACE_ALREADY_EXISTS: conflict("The workspace exists already"),
  ENVIRONMENT_ALREADY_EXISTS: conflict("The environment exists already"),
  AI_CONNECTION_ALREADY_EXISTS: conflict("The AI connection exists already"),
  AI_RESOURCE_ALREADY_EXISTS: conflict("The AI resource exists already"),
  API_KEY_ALREADY_EXISTS: conflict("The API key exists already"),
  TOKEN_ALREADY_EXISTS: conflict("The token exists already"),
  ROLE_ALREADY_EXISTS: conflict("The role exists already"),
  USER_USERNAME_IN_USE: conflict("The username is in use"),
  USER_EMAIL_IN_USE: conflict("The email is in use"),
  NAME_CONFLICT: conflict("The name collides with another object"),
  CONNECTION_IN_USE: conflict("The AI connection is in use"),
  RESOURCE_IN_USE: conflict("The AI resource is in use"),
  ROLE_IN_USE: conflict("The role is in use"),
  BUILT_IN_ROLE: conflict("Built-in roles cannot be changed"),
  LAST_ADMIN: conflict("The last administrator must stay"),
  LAST_OWNER: conflict("The last owner must stay"),
  IDEMPOTENCY_KEY_REUSED: conflict("The idempotency key belongs to another request"),
  IDEMPOTENCY_IN_PROGRESS: conflict("The first request with this key is still running"),
  BATCH_ALREADY_FINISHED: conflict("The batch has finished"),
  PLAN_STALE: conflict("The plan is out of date"),
  VERSION_MISMATCH: entry(412, "conflict", "The object has changed meanwhile"),
  BODY_TOO_LARGE: entry(413, "too-large", "The body is too large"),
  UNSUPPORTED_MEDIA_TYPE: entry(415, "invalid-request", "The content type is not supported"),
  TOO_MANY_REQUESTS: entry(429, "rate-limit", "Too many requests"),
  INTERNAL_ERROR: entry(500, "internal", "Something went wrong"),
  SINK_NOT_QUERYABLE: entry(501, "internal", "No usage sink can answer"),
  DATABASE_UNAVAILABLE: entry(503, "overloaded", "The database is away"),
  ENCRYPTION_UNAVAILABLE: entry(503, "overloaded", "The encryption backend is away"),
} as const satisfies Record<string, ErrorEntry>;

/** A stable error code of the gateway. */
export type ErrorCode = keyof typeof errorTable;

/** One fault in an input: where it is, by JSON pointer, and which rule it breaks. */
export interface Fault {
  readonly path: string;
  readonly code: string;
  readonly message: string;
  /** The model slot the fault lies in, such as `fallbackModels[1]`. */
  readonly slot?: string;
}

/** What a GatewayError can carry beside its message. */
export interface GatewayErrorOptions {
  readonly cause?: unknown;
  /** The request member at fault, as the caller spelled it. */
  readonly param?: string;
  /** Further members for the caller: the `details` of a 429, `references`, `currentVersion`. */
  readonly details?: JsonObject;
  readonly faults?: readonly Fault[];
  /** Seconds after which a further attempt can succeed. */
  readonly retryAfterSeconds?: number;
  /** Whether the caller's SDK should retry by itself. */
  readonly shouldRetry?: boolean;
}

/** An error with a stable code. Its message is written for the caller and never holds a secret. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly details: JsonObject | undefined;
  readonly faults: readonly Fault[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly shouldRetry: boolean | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "GatewayError";
    this.code = code;
    this.param = options.param;
    this.details = options.details;
    this.faults = options.faults;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.shouldRetry = options.shouldRetry;
  }

  /** HTTP status of the code. */
  get status(): number {
    return errorTable[this.code].status;
  }

  /** Kind of the code. */
  get kind(): ErrorKind {
    return errorTable[this.code].kind;
  }

  /** Whether a leg that failed with this code lets the next leg try. */
  get fallsBack(): boolean {
    return "fallsBack" in errorTable[this.code];
  }
}

/** The fixed phrases that tell why a leg failed; they are the only failure text that reaches headers. */
export const failureReasons = [
  "Rate limit exceeded",
  "Provider error",
  "Provider unavailable",
  "Provider rejected the request",
  "Provider rejected the credential",
  "Timed out",
  "Connection failed",
  "Invalid response",
  "Stream failed before content",
  "Denied by capacity",
  "Denied by prioritization",
  "Connection disabled",
  "Credential unavailable",
  "Circuit open",
  "Model not allowed",
  "Translation loss",
  "Operation not supported",
  "State not portable",
] as const;

/** Why a leg failed, as a fixed phrase. */
export type FailureReason = (typeof failureReasons)[number];

function entry(status: number, kind: ErrorKind, title: string, fallsBack?: true): ErrorEntry {
  return fallsBack ? { status, kind, title, fallsBack } : { status, kind, title };
}
