import type { Operation } from "./call.ts";
import type { DialectProfile, Frame } from "./dialect.ts";
import type { FailureReason } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Warning } from "./warning.ts";

/**
 * A transport to one upstream service: who to talk to and how to get there. The language is a dialect's business.
 * `send` rejects only when no HTTP answer came: with a ProviderFailure, with the signal's reason when aborted, or with
 * a GatewayError (`egress_refused`, `upstream_invalid_response` for what is not HTTP).
 */
export interface Provider {
  readonly operations: readonly Operation[];
  /** Services that accept each other's reasoning signatures share a family; the provider's id when absent. */
  readonly family?: string;
  /** Dialects the service speaks natively, preferred first; may depend on model, connection and the caller's dialect. */
  dialects(choice: DialectChoice, connection: ProviderConnection): readonly string[];
  /** The vendor's spelling of a dialect. */
  profile?(model: string, dialect: string, connection: ProviderConnection): DialectProfile;
  /** Edits a passed-through body needs because the service would reject it as it is. */
  adapt?(request: AdaptRequest, connection: ProviderConnection): Adaptation | undefined;
  send(
    request: ProviderRequest,
    connection: ProviderConnection,
    signal: AbortSignal,
  ): Promise<ProviderResponse>;
  /** Cuts frames out of a binary framing; needed by services whose streams are not server-sent events. */
  framer?(): Framer;
  /** Limits a response's headers (or error body) tell of. */
  limits?(headers: ResponseHeaders, errorBody?: JsonObject): DiscoveredLimits | undefined;
  /** Refines the default classification of an error answer (providers-and-dialects.md §6). */
  classify?(answer: ErrorAnswer): Partial<Classification> | undefined;
  /** Ids of the models the credential may use. */
  listModels?(connection: ProviderConnection, signal: AbortSignal): Promise<readonly string[]>;
}

/** Turns a stream's bytes into frames, however they are chunked. */
export interface Framer {
  push(chunk: Uint8Array): readonly Frame[];
  /** The stream has ended. Throws `upstream_invalid_response` when it ended inside a frame. */
  end(): readonly Frame[];
}

/** See `Provider.dialects`. */
export interface DialectChoice {
  readonly model: string;
  readonly operation: Operation;
  /** The dialect the caller speaks. */
  readonly callerDialect: string;
}

/** The connection a call goes through. */
export interface ProviderConnection {
  readonly connectionId: string;
  readonly name: string;
  readonly workspaceId: string;
  readonly environmentId: string;
  /** Validated against the provider's schema; fields of format `secret` are `Secret` values. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A body about to be passed through. */
export interface AdaptRequest {
  readonly operation: Operation;
  readonly dialect: string;
  readonly model: string;
  readonly body: JsonObject;
}

/** Edits of top-level members. */
export interface Adaptation {
  readonly set?: JsonObject;
  readonly remove?: readonly string[];
  readonly warnings?: readonly Warning[];
}

/** One HTTP call to the service. */
export interface ProviderRequest {
  readonly requestId: string;
  readonly operation: Operation;
  readonly dialect: string;
  readonly model: string;
  readonly stream: boolean;
  /** Path below the service's base URL as the dialect names it, such as `/chat/completions`. */
  readonly path: string;
  /** Query of the caller, forwarded only when the leg speaks the caller's dialect; without `?`. */
  readonly query?: string;
  /** JSON text. */
  readonly body: string;
  /** The body as a value, when the dialect encoded it anew; providers without a network read it. */
  readonly bodyObject: () => JsonObject;
  /** Headers of the caller the leg may see (`anthropic-version`, trace context); lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers of an answer; lower-case names. */
export type ResponseHeaders = Readonly<Record<string, string | undefined>>;

/** The service's answer; the body arrives as it comes. */
export interface ProviderResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: AsyncIterable<Uint8Array>;
  readonly framing: "json" | "sse" | "aws-eventstream";
}

/** Why no HTTP answer came. Thrown by `Provider.send` and by the body it returned. */
export class ProviderFailure extends Error {
  /** `connect`: refused, DNS, TLS. `reset`: broken off. `timeout`: connect, headers or idle time passed. `refused`: the request itself cannot be sent. */
  readonly kind: "connect" | "reset" | "timeout" | "refused";
  constructor(kind: ProviderFailure["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ProviderFailure";
    this.kind = kind;
  }
}

/** Limits a provider told of; undefined axes are unknown. */
export interface DiscoveredLimits {
  readonly requests?: DiscoveredLimit;
  readonly tokens?: DiscoveredLimit;
  readonly inputTokens?: DiscoveredLimit;
  readonly outputTokens?: DiscoveredLimit;
}

/** One limit. */
export interface DiscoveredLimit {
  readonly limit: number;
  readonly remaining?: number;
  /** Milliseconds until the window resets. */
  readonly resetAfterMs?: number;
  /** Milliseconds the limit counts for; a minute when absent. */
  readonly windowMs?: number;
}

/** An error answer of the service. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly code?: string | null;
  readonly type?: string | null;
  readonly message: string;
  readonly body?: JsonObject;
}

/** What an error answer means for the leg. */
export interface Classification {
  readonly reason: FailureReason;
  readonly retryable: boolean;
  /** Milliseconds the service asks to wait. */
  readonly retryAfterMs?: number;
}
