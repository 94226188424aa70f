import type {
  Classification,
  ErrorCode,
  FailureReason,
  JsonObject,
  Provider,
  ProviderResponse,
  ResponseHeaders,
  WireError,
} from "../contract/index.ts";
import { errorTable, GatewayError, ProviderFailure } from "../contract/index.ts";
import { isObject } from "../kit/index.ts";

/** A leg's failure: why, with which status, and whether the same leg is worth another attempt. */
export class LegFailure extends Error {
  readonly reason: FailureReason;
  readonly status: number;
  /** A code of the error table, or the provider's own. */
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** The provider's error in neutral words. */
  readonly wire: WireError | undefined;
  /** The provider's error body and headers, for callers of the same dialect. */
  readonly upstream: {
    readonly body: string;
    readonly dialect: string;
    readonly headers: ResponseHeaders;
  } | undefined;
  /** The gateway's own error behind it. */
  readonly gatewayError: GatewayError | undefined;

  constructor(message: string, options: LegFailureOptions) {
    super(message, { cause: options.cause });
    this.name = "LegFailure";
    this.reason = options.reason;
    this.status = options.status;
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.wire = options.wire;
    this.upstream = options.upstream;
    this.gatewayError = options.gatewayError;
  }
}

interface LegFailureOptions {
  readonly reason: FailureReason;
  readonly status: number;
  readonly code: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly wire?: WireError;
  readonly upstream?: LegFailure["upstream"];
  readonly gatewayError?: GatewayError;
  readonly cause?: unknown;
}

const reasons: Partial<Record<ErrorCode, FailureReason>> = {
  AI_CONNECTION_NOT_FOUND: "Connection disabled",
  connection_disabled: "Connection disabled",
  credential_unavailable: "Credential unavailable",
  model_not_allowed: "Model not allowed",
  operation_not_supported: "Operation not supported",
  translation_loss: "Translation loss",
  unsupported_content: "Operation not supported",
  state_not_portable: "State not portable",
  bad_image_url: "Provider rejected the request",
  egress_refused: "Connection failed",
  leg_timeout: "Timed out",
  upstream_unreachable: "Connection failed",
  upstream_invalid_response: "Invalid response",
  upstream_authentication_error: "Provider rejected the credential",
  resource_exhausted: "Denied by capacity",
  prioritization_gate_denied: "Denied by prioritization",
  capacity_store_unavailable: "Denied by capacity",
};

/** Turns whatever a leg threw into its failure. Errors that end the whole request are thrown on. */
export function toLegFailure(error: unknown): LegFailure {
  if (error instanceof LegFailure) return error;
  if (error instanceof ProviderFailure) return fromProviderFailure(error);
  const known = error instanceof GatewayError
    ? error
    : new GatewayError("unknown_error", "The provider plugin failed", { cause: error });
  if (!known.fallsBack) throw known;
  return new LegFailure(known.message, {
    reason: reasons[known.code] ?? "Provider error",
    status: known.status,
    code: known.code,
    gatewayError: known,
    cause: error,
  });
}

function fromProviderFailure(error: ProviderFailure): LegFailure {
  if (error.kind === "timeout") {
    return new LegFailure(error.message, {
      reason: "Timed out",
      status: 504,
      code: "leg_timeout",
      retryable: true,
      cause: error,
    });
  }
  return new LegFailure(error.message, {
    reason: "Connection failed",
    status: 502,
    code: "upstream_unreachable",
    retryable: error.kind !== "refused",
    cause: error,
  });
}

/** What an error answer means (providers and dialects, "Error classification"), before the provider refines it. */
export function classify(status: number, headers: ResponseHeaders): Classification {
  const retryAfterMs = readRetryAfter(headers);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 401 || status === 403) {
    return { reason: "Provider rejected the credential", retryable: false };
  }
  if (status === 402) return { reason: "Rate limit exceeded", retryable: false };
  if (status === 429) return { reason: "Rate limit exceeded", retryable: true, ...wait };
  if (status === 408 || status === 409) {
    return { reason: "Provider error", retryable: true, ...wait };
  }
  if (status >= 500) return { reason: "Provider unavailable", retryable: true, ...wait };
  if (status >= 400) return { reason: "Provider rejected the request", retryable: false };
  return { reason: "Invalid response", retryable: false };
}

/** The failure an error answer makes of a leg. */
export function fromErrorAnswer(
  response: ProviderResponse,
  body: string,
  wire: WireError,
  dialect: string,
  provider: Provider,
  providerLabel: string,
): LegFailure {
  const { status, headers } = response;
  const verdict: Classification = {
    ...classify(status, headers),
    ...provider.classify?.({
      status,
      headers,
      message: wire.message,
      code: wire.code ?? null,
      type: wire.type ?? null,
      ...bodyMember(body),
    }),
  };
  const credential = verdict.reason === "Provider rejected the credential";
  const invalid = status < 400;
  const code: string = credential
    ? "upstream_authentication_error"
    : invalid
    ? "upstream_invalid_response"
    : wire.code || wire.type || "upstream_error";
  const message = wire.recognised
    ? wire.message
    : `${providerLabel} answered with status ${status}`;
  return new LegFailure(credential ? `${providerLabel} refused the stored credential` : message, {
    reason: verdict.reason,
    status: credential || invalid ? 502 : status,
    code,
    retryable: verdict.retryable,
    retryAfterMs: verdict.retryAfterMs,
    wire,
    ...(wire.recognised && !credential && !invalid ? { upstream: { body, dialect, headers } } : {}),
  });
}

function bodyMember(text: string): { readonly body?: JsonObject } {
  const body = parseErrorBody(text);
  return body ? { body } : {};
}

/** The error body as a value: some services tell their limits and waits nowhere else. */
export function parseErrorBody(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a code is one of the gateway's own. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

function readRetryAfter(headers: ResponseHeaders): number | undefined {
  const ms = Number(headers["retry-after-ms"] ?? Number.NaN);
  if (ms >= 0 && Number.isFinite(ms)) return ms;
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
