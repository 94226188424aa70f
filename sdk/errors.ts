import type { ProblemCode } from "./generated/codes.gen.ts";
import type { Problem } from "./generated/types.gen.ts";

/** Why no answer of the gateway could be read. */
export type LocalCode =
  /** No connection, or it broke off. */
  | "CONNECTION_FAILED"
  /** No answer within `timeoutMs`. */
  | "TIMEOUT"
  /** An answer that is not the gateway's: a proxy's page, or broken JSON. */
  | "ANSWER_NOT_UNDERSTOOD"
  /** The version of `ifNoneMatch` is still the present one. */
  | "NOT_MODIFIED";

/** Everything `code` can be; codes of later gateways are plain text. */
export type ErrorCode = ProblemCode | LocalCode | (string & Record<never, never>);

/** What an error is made of. */
export interface ErrorParts {
  readonly status?: number | undefined;
  readonly code: ErrorCode;
  readonly requestId?: string | undefined;
  readonly problem?: Problem | undefined;
  readonly headers?: Headers | undefined;
  readonly cause?: unknown;
}

/** A call that failed. Each status has a class of its own below; `code` says exactly what is wrong. */
export class VmxError extends Error {
  override readonly name: string = "VmxError";
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  readonly code: ErrorCode;
  /** Id under which the gateway's log and audit know the request. */
  readonly requestId: string | undefined;
  /** The answer's body, with members some codes add, such as `errors`, `references` and `currentVersion`. */
  readonly problem: (Problem & Readonly<Record<string, unknown>>) | undefined;
  readonly headers: Headers | undefined;

  constructor(message: string, parts: ErrorParts) {
    super(message, parts.cause === undefined ? {} : { cause: parts.cause });
    this.status = parts.status;
    this.code = parts.code;
    this.requestId = parts.requestId;
    this.problem = parts.problem as VmxError["problem"];
    this.headers = parts.headers;
  }

  /** Faults of single fields; empty unless the input was refused. */
  get faults(): NonNullable<Problem["errors"]> {
    return this.problem?.errors ?? [];
  }

  /** How long the gateway asks to wait, in milliseconds; undefined when it does not say. */
  get retryAfterMs(): number | undefined {
    return readRetryAfterMs(this.headers, Date.now());
  }
}

/** No answer: the connection failed or took too long. */
export class ConnectionError extends VmxError {
  override readonly name: string = "ConnectionError";
}
/** 304: the object is still of the version the caller knows. */
export class NotModifiedError extends VmxError {
  override readonly name: string = "NotModifiedError";
}
/** 400: the input is not valid; see `faults`. */
export class BadRequestError extends VmxError {
  override readonly name: string = "BadRequestError";
}
/** 401: no valid credential. */
export class AuthenticationError extends VmxError {
  override readonly name: string = "AuthenticationError";
}
/** 403: the caller lacks a right. */
export class PermissionError extends VmxError {
  override readonly name: string = "PermissionError";
}
/** 404: the object does not exist, or not for the caller. */
export class NotFoundError extends VmxError {
  override readonly name: string = "NotFoundError";
}
/** 409: the object exists already, or is in use. */
export class ConflictError extends VmxError {
  override readonly name: string = "ConflictError";
}
/** 412: the object changed since the version of `ifMatch`. */
export class VersionMismatchError extends VmxError {
  override readonly name: string = "VersionMismatchError";

  /** The present version. */
  get currentVersion(): number | undefined {
    const version = this.problem?.["currentVersion"];
    return typeof version === "number" ? version : undefined;
  }
}
/** 413: the body is too large. */
export class BodyTooLargeError extends VmxError {
  override readonly name: string = "BodyTooLargeError";
}
/** 415: the content type is not supported. */
export class UnsupportedMediaTypeError extends VmxError {
  override readonly name: string = "UnsupportedMediaTypeError";
}
/** 429: too many requests; see `retryAfterMs`. */
export class TooManyRequestsError extends VmxError {
  override readonly name: string = "TooManyRequestsError";
}
/** 500 and above: the gateway failed. */
export class ServerError extends VmxError {
  override readonly name: string = "ServerError";
}
/** 501: the installation cannot answer this. */
export class NotSupportedError extends ServerError {
  override readonly name: string = "NotSupportedError";
}
/** 503: something the gateway needs is away. */
export class UnavailableError extends ServerError {
  override readonly name: string = "UnavailableError";
}

type ErrorClass = new (message: string, parts: ErrorParts) => VmxError;

const byStatus: Readonly<Record<number, ErrorClass>> = {
  304: NotModifiedError,
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionError,
  404: NotFoundError,
  409: ConflictError,
  412: VersionMismatchError,
  413: BodyTooLargeError,
  415: UnsupportedMediaTypeError,
  429: TooManyRequestsError,
  501: NotSupportedError,
  503: UnavailableError,
};

/** The error an answer stands for, of the class of its status. */
export function errorOf(response: Response, body: unknown): VmxError {
  const { status, headers } = response;
  const problem = isProblem(body) ? body : undefined;
  const code = problem?.code ?? (status === 304 ? "NOT_MODIFIED" : "ANSWER_NOT_UNDERSTOOD");
  const message = problem?.detail ?? problem?.title ??
    (status === 304
      ? "The object has not changed"
      : `The answer with status ${status} is not one of the gateway`);
  const Class = byStatus[status] ?? (status >= 500 ? ServerError : VmxError);
  return new Class(message, {
    status,
    code,
    requestId: problem?.requestId ?? headers.get("x-vmx-request-id") ?? undefined,
    problem,
    headers,
  });
}

/** Reads `Retry-After`: seconds or a date. */
export function readRetryAfterMs(headers: Headers | undefined, nowMs: number): number | undefined {
  const text = headers?.get("retry-after");
  if (text === null || text === undefined) return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "status" in body;
}
