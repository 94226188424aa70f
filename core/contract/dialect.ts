import type { Call, Operation } from "./call.ts";
import type { ErrorKind } from "./errors.ts";
import type { Json, JsonObject } from "./json.ts";
import type { FinishReason, Part, StreamPart, Tokens } from "./part.ts";
import type { Translated, Warning } from "./warning.ts";

/** One server-sent event or event-stream message. */
export interface Frame {
  /** The event's name; undefined for an unnamed one. */
  readonly event?: string;
  readonly data: string;
}

/**
 * A wire language. Every dialect can be spoken to a provider; one that also has `inbound` can be spoken by callers.
 * Functions are pure and throw only a GatewayError (`upstream_invalid_response` for an answer of the wrong shape,
 * `invalid_request` for a body, `unsupported_content` and its like for what the dialect cannot express).
 */
export interface Dialect {
  readonly id: string;
  readonly operations: readonly Operation[];

  /**
   * Reads a request body into the canonical Call. Its warnings tell what no leg of another dialect will be told:
   * such legs are all that bodies are read for.
   */
  decodeRequest(body: JsonObject, operation: Operation): Translated<Call>;
  /** Writes a Call as a request body of this dialect. */
  encodeRequest(call: Call, options: EncodeOptions): EncodedRequest;
  /** Where the request goes below the provider's base URL, such as `/chat/completions`. */
  requestPath(call: { operation: Operation; model: string; stream: boolean }): string;

  /** Reads a plain answer into Parts. */
  decodeResponse(
    body: JsonObject,
    operation: Operation,
    options?: DecodeOptions,
  ): Translated<readonly Part[]>;
  /** Writes Parts as a plain answer. */
  encodeResponse(parts: readonly Part[], context: AnswerContext): Translated<JsonObject>;

  /** Reads a streamed answer. */
  streamDecoder(options?: DecodeOptions): StreamDecoder;
  /** Writes a streamed answer. */
  streamEncoder(context: AnswerContext): StreamEncoder;

  /** Reads a provider's error body, which may be any text. */
  decodeError(status: number, body: string): WireError;
  /** Reads along a plain answer that is passed through: usage, finish, model. Throws `upstream_invalid_response`. */
  readAnswer(body: JsonObject, operation: Operation): AnswerFacts;

  /**
   * Whether an image, file or sound may stand in the body as this URL, so that the service fetches it by itself.
   * For all others core fetches the bytes through the egress guard before it encodes. Absent means every URL may.
   */
  takesMediaUrl?(url: string, mediaType?: string): boolean;

  readonly inbound?: Inbound;
}

/** Settings of a vendor's spelling of a dialect; each dialect documents the members it reads. */
export type DialectProfile = Readonly<Record<string, Json | undefined>>;

/** How a Call is to be encoded. */
export interface EncodeOptions {
  /** The upstream model. */
  readonly model: string;
  /** The provider family reasoning signatures may go to. */
  readonly family: string;
  readonly profile?: DialectProfile;
}

/** A written request, with what the reader of its answer has to know. */
export interface EncodedRequest extends Translated<JsonObject> {
  /** Tools whose names the dialect does not take: the name on the wire -> the caller's. Absent when there are none. */
  readonly toolNames?: ReadonlyMap<string, string>;
}

/** How an answer is to be decoded. */
export interface DecodeOptions {
  readonly profile?: DialectProfile;
  /** What `encodeRequest` gave back: tool calls are named as the caller named the tools. */
  readonly toolNames?: ReadonlyMap<string, string>;
}

/** What an encoder of answers needs to know about the request. */
export interface AnswerContext {
  readonly operation: Operation;
  readonly requestId: string;
  readonly stream: boolean;
  /** Unix seconds. */
  readonly now: number;
  /** The model the leg asked for, used when the provider reports none. */
  readonly model: string;
  /** Whether the caller asked for usage on a stream. */
  readonly includeUsage: boolean;
  /** The caller's request, where it was decoded: an answer follows the spelling its caller used. */
  readonly call?: Call;
  /** The provider family that answers; it is noted beside reasoning signatures, which go back to no other. */
  readonly family?: string;
}

/** Turns frames into StreamParts. `end` throws `upstream_invalid_response` when the end marker has not been seen. */
export interface StreamDecoder {
  push(frame: Frame): readonly StreamPart[];
  end(): readonly StreamPart[];
  /** What has been lost so far, as `decodeResponse` tells it of the assembled answer. */
  readonly warnings?: readonly Warning[];
}

/** Turns StreamParts into frames. `end` yields the end marker. */
export interface StreamEncoder {
  push(part: StreamPart): readonly Frame[];
  end(): readonly Frame[];
  /** What has been lost so far, as `encodeResponse` tells it of the assembled answer. */
  readonly warnings?: readonly Warning[];
  /** The number the next event bears, where the dialect numbers them; meant for `errorFrame`. */
  sequence?(): number;
}

/** An error as it stands on the wire, in neutral words. */
export interface WireError {
  readonly message: string;
  readonly code?: string | null;
  readonly type?: string | null;
  readonly param?: string | null;
  /** True when the body had the dialect's error shape. */
  readonly recognised: boolean;
}

/** An error to be written for the caller. */
export interface OutgoingError {
  readonly status: number;
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  /** The provider's own type, where it is of this dialect. */
  readonly type?: string | null;
  readonly param?: string | null;
  readonly details?: JsonObject;
  readonly requestId: string;
}

/** What a plain answer tells without being decoded. */
export interface AnswerFacts {
  readonly id?: string;
  readonly model?: string;
  readonly tokens?: Tokens;
  readonly finish?: FinishReason;
  /** The finish reason as the provider spelled it. */
  readonly finishRaw?: string;
  readonly serviceTier?: string;
  readonly systemFingerprint?: string;
  /** The number the stream's next event bears, where the dialect numbers them; meant for `errorFrame`. */
  readonly sequence?: number;
  /** Estimated tokens of the delivered text, for answers without usage. */
  readonly estimatedOutputTokens: number;
}

/** What a dialect must have so that callers can speak it. */
export interface Inbound {
  /** The word routing rules know the dialect by, such as `chat-completions`. */
  readonly format: string;
  /** Lower-case names of the caller's headers that legs of this dialect are to see, such as a version. */
  readonly forwardHeaders?: readonly string[];
  /** A further header the dialect's clients read the request id from, beside `x-request-id`. */
  readonly requestIdHeader?: string;
  /** Checks the members every request of the operation must have. Throws `invalid_request` naming the member. */
  validate(body: JsonObject, operation: Operation): void;
  /** Facts for routing and estimates; each is computed when it is read. */
  inspect(body: JsonObject, operation: Operation): RequestFacts;
  /**
   * What pass-through must merge over the body so that the provider reports usage, and whether the caller
   * asked for it himself (if not, the tap removes the trailing usage frame).
   */
  usageRequest(body: JsonObject, operation: Operation): UsageRequest;
  /** What of the request lives at a provider. Absent for a dialect without state. */
  providerState?(body: JsonObject, operation: Operation): ProviderState;
  /**
   * Takes out what answers translated by the gateway left in the conversation and no provider can read, such as
   * reasoning another family signed; that of the leg's own `family` stays. Answers the same object when there is
   * nothing to take out.
   */
  withoutMarks?(body: JsonObject, operation: Operation, family?: string): Translated<JsonObject>;
  /** Members of `defaultArgs` this dialect does not know are still merged; this tells which need no warning. */
  tap(options: TapOptions): Tap;
  /** The dialect's error body. */
  encodeError(error: OutgoingError): JsonObject;
  /** The bytes of the error frame that ends a stream after its head was sent. */
  errorFrame(error: OutgoingError, sequence?: number): string;
  /** The bytes sent after 10 s of silence. */
  readonly keepAlive: string;
  /** The bytes that carry metrics before the end marker. */
  metricsFrame(metrics: JsonObject, context: AnswerContext): string;
  /** The models list, valid for this dialect's SDKs. */
  encodeModels?(models: readonly ModelListing[], query: ModelsQuery): JsonObject;
  /** One element of the models list. */
  encodeModel?(model: ModelListing): JsonObject;
}

/** See `Inbound.usageRequest`. */
export interface UsageRequest {
  readonly merge?: JsonObject;
  readonly callerAsked: boolean;
}

/** State that only the provider that keeps it can continue (completion-api.md §12). */
export interface ProviderState {
  /** The earlier answer the request goes on from. */
  readonly previousAnswerId?: string;
  /** JSON pointers of members that name what is stored at a provider: conversations, prompts, files. */
  readonly paths: readonly string[];
  /** Whether the provider is asked to remember this answer under its id. */
  readonly storesAnswer: boolean;
}

/** Facts about a request body. `messages` and `inputTokens` are getters: they cost only when read. */
export interface RequestFacts {
  readonly stream: boolean;
  /** Messages of any dialect as plain text, system texts left out. */
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  /** System and developer texts, joined by blank lines. */
  readonly system: string;
  readonly toolsCount: number;
  readonly hasImages: boolean;
  readonly hasFiles: boolean;
  /** Estimated input tokens (capacity-and-prioritization.md §5.1), not calibrated. */
  readonly inputTokens: number;
  /** The request's own bound of output tokens, times the number of answers asked for. */
  readonly maxOutputTokens: number | undefined;
}

/** How a tap treats a stream. */
export interface TapOptions {
  /** False removes the trailing usage-only frame. */
  readonly keepUsage: boolean;
}

/** Reads along a stream of this dialect while its bytes are relayed. */
export interface Tap {
  /** Takes bytes as they came; answers whole frames, byte-equal, and what they told. */
  push(chunk: Uint8Array): TapResult;
  /** The upstream has ended. A held final frame without a blank line is answered here. */
  end(): TapResult;
  /** What the stream has told so far. `complete` is true once the end marker was seen. */
  facts(): AnswerFacts & { readonly complete: boolean };
  /** What the answer has lost on its way so far; absent where nothing is translated. */
  warnings?(): readonly Warning[];
}

/** See `Tap.push`. */
export interface TapResult {
  /** Bytes to relay now; may be empty. Ends at a frame border unless `oversize`. */
  readonly forward: Uint8Array;
  /** The end marker's bytes, held apart so that a metrics frame can go in before them. */
  readonly endMarker?: Uint8Array;
  /** True once a content part or a normal end has been seen in or before this chunk. */
  readonly content: boolean;
  /** True once a valid frame that is not an error has been seen. */
  readonly started: boolean;
  /** An error frame inside the stream; its bytes are in `forward`. */
  readonly error?: WireError & { readonly status?: number };
  /** True while an unfinished frame above the bound is passed on as it comes: nothing may be injected. */
  readonly oversize?: boolean;
}

/** A resource as the models list shows it. */
export interface ModelListing {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly description: string | null;
  readonly provider: string;
  readonly model: string;
}

/** Paging of the models list. */
export interface ModelsQuery {
  readonly limit?: number;
  readonly afterId?: string;
  readonly beforeId?: string;
}
