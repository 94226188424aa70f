import type { RoutingTrace } from "@vmx/schemas";
import type {
  AnswerFacts,
  Clock,
  Dialect,
  FailureReason,
  Inbound,
  JsonObject,
  Log,
  Operation,
  Warning,
} from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { LiveSamples } from "../routing/index.ts";
import type { Capacity } from "../capacity/index.ts";
import type { Allocation } from "../prioritization/index.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import { createRequestId } from "./request-id.ts";
import type { Caller } from "./identify.ts";
import type { Capture } from "./capture.ts";
import type { Circuits } from "./circuits.ts";
import type { Envelope } from "./envelope.ts";
import type { FetchMedia } from "./fetch-media.ts";
import type { LegRecord } from "./leg.ts";
import { noteSamples } from "./leg-sample.ts";
import { type AnswerHomes, noteHome, type RequestState } from "./provider-state.ts";
import type { Refusals } from "./refusals.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Router } from "./router.ts";
import type { Target } from "./resolve.ts";

/** What a caller asks for, in terms of the data plane's paths. */
export interface Endpoint {
  /** Id of the dialect the caller speaks. */
  readonly dialect: string;
  readonly operation: Operation;
  /** Name of the endpoint in records, such as `CHAT_COMPLETIONS`. */
  readonly name: string;
}

/** A request as it reaches the way through; HTTP, batches and tests all bring one. */
export interface IncomingRequest {
  readonly endpoint: Endpoint;
  /** Ids named in the path; undefined on short paths. */
  readonly path: { readonly workspaceId: string; readonly environmentId: string } | undefined;
  /** Without `?`; empty when there is none. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** How often each credential header came, when more than once. */
  readonly duplicateCredential: boolean;
  readonly sourceIp: string;
  /** Address of the other end of the connection, which may be a proxy's. */
  readonly peer?: string | undefined;
  /** The batch the request is an item of. */
  readonly batch?: { readonly batchId: string; readonly batchItemId: string };
  /** The path's pattern, such as `/v1/chat/completions`; absent where there is no path. */
  readonly route?: string;
  /** Reads the whole body, decompressed. Throws `request_too_large` or `invalid_request`. */
  readonly readBody: (maxBytes: number) => Promise<Uint8Array>;
}

/** Where the answer goes. */
export interface Reply {
  /** Sends status and headers; called at most once, before anything else. */
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Sends bytes. Answers a promise when the reader is slow: wait for it before sending more. */
  write(bytes: Uint8Array | string): Promise<void> | undefined;
  end(bytes?: Uint8Array | string): void;
  /** Calls back when the reader leaves before the end. */
  onGone(listener: () => void): void;
}

/** What the way through stands on. */
export interface GatewayServices {
  readonly snapshot: () => Snapshot;
  readonly host: PluginHost;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: GatewayLimits;
  /** Reads a person's token or session; undefined for a credential of neither kind. */
  readonly identifyPerson: (
    request: IncomingRequest,
    credential: string | undefined,
  ) => Promise<Caller | undefined>;
  readonly refusals: Refusals;
  readonly circuits: Circuits;
  readonly retryBudget: RetryBudget;
  readonly capacity: Pick<Capacity, "admission" | "discovered" | "estimates">;
  readonly allocation: Pick<Allocation, "touch">;
  readonly router: Router;
  readonly samples: LiveSamples;
  readonly answerHomes: AnswerHomes;
  readonly fetchMedia: FetchMedia;
  /** Takes secrets out of a text that leaves the gateway. */
  readonly redact: (text: string, config?: Readonly<Record<string, unknown>>) => string;
  /** Told of every exchange that begins; must not throw. */
  readonly onStarted: (exchange: Exchange) => void;
  /**
   * Told before the first leg is called, and waited for: what is noted here outlives the process. Throws
   * `audit_unavailable` when the request must not go on without a record.
   */
  readonly onTargeted?: (exchange: Exchange) => Promise<void>;
  /** Told when the first content of a stream is about to be relayed; must not throw. */
  readonly onFirstContent?: (exchange: Exchange) => void;
  /** Headers that make the call of a leg part of a trace; absent when none is to be sent on. */
  readonly legHeaders?: (
    exchange: Exchange,
    leg: LegRecord,
  ) => Readonly<Record<string, string>> | undefined;
  /**
   * Told of every finished exchange; must not throw. What it answers resolves when the request is on record: its
   * caller learns of its end only then.
   */
  readonly onFinished: (outcome: Outcome) => Promise<void> | undefined;
}

/** Bounds of one request. */
export interface GatewayLimits {
  readonly maxBodyBytes: number;
  /** Largest plain answer that is read, in bytes. */
  readonly maxAnswerBytes: number;
  readonly firstContentHoldMs: number;
  readonly keepAliveMs: number;
}

/** One request on its way through. Stages fill it in; records read it when it has finished. */
export interface Exchange {
  readonly requestId: string;
  readonly request: IncomingRequest;
  readonly services: GatewayServices;
  readonly snapshot: Snapshot;
  /** Unix milliseconds of arrival. */
  readonly arrivedAt: number;
  /** Monotonic milliseconds of arrival. */
  readonly startedAt: number;
  readonly dialect: Dialect & { readonly inbound: Inbound };
  /** Aborted by the reader's leaving or by the request's deadline, with a GatewayError as reason. */
  readonly signal: AbortSignal;
  readonly abort: (reason: GatewayError) => void;
  /** Sets the deadline, in milliseconds from the request's arrival; it covers all legs and the stream. */
  readonly limitTime: (timeoutMs: number) => void;
  caller?: Caller;
  body?: RequestBody;
  envelope: Envelope;
  /** Set for dialects whose requests can build on what a provider stores. */
  providerState?: RequestState | undefined;
  target?: Target;
  /** What the audit keeps of bodies and answer; absent when it keeps none. */
  capture?: Capture;
  /** How rules decided; absent when the target has none. */
  routing?: RoutingTrace;
  /** Rules and conditions that could not be evaluated. */
  routingErrors?: number;
  readonly legs: LegRecord[];
  readonly events: GatewayEvent[];
  readonly warnings: Warning[];
  /** The trace the request belongs to; absent while nobody traces. */
  trace?: ExchangeTrace;
  /** Resolves exactly once, when all but the end of what the caller gets was sent or given up, and is on record. */
  readonly finished: Promise<Outcome>;
  readonly finish: (outcome: Outcome) => void;
}

/** See `Exchange.trace`. */
export interface ExchangeTrace {
  readonly context: TraceContext;
  /** Id of the request's own span. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** The body as text and as value. */
export interface RequestBody {
  readonly text: string;
  readonly value: JsonObject;
  readonly model: string;
  readonly stream: boolean;
}

/** Something worth telling about how the answer came about. */
export type GatewayEvent =
  | {
    readonly timestamp: string;
    readonly type: "routing";
    readonly data: {
      readonly originalProvider: string;
      readonly originalModel: string;
      readonly routedProvider: string;
      readonly routedModel: string;
      readonly matchedRoute: string;
    };
  }
  | {
    readonly timestamp: string;
    readonly type: "fallback";
    readonly data: {
      readonly model: string;
      readonly provider: string;
      readonly connectionId: string;
      readonly failureReason: FailureReason;
      readonly statusCode: number;
      readonly errorMessage: string;
    };
  };

/** How an exchange ended. */
export interface Outcome {
  readonly exchange: Exchange;
  readonly status: "ok" | "error" | "blocked" | "denied" | "aborted" | "partial";
  readonly statusCode: number;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly facts?: AnswerFacts;
  readonly totalDurationMs: number;
}

/** Opens an exchange for a request. */
export function createExchange(
  request: IncomingRequest,
  dialect: Exchange["dialect"],
  services: GatewayServices,
): Exchange {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let finished = false;
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const arrivedAt = services.clock.now();
  const startedAt = services.clock.monotonic();
  return {
    requestId: createRequestId(arrivedAt),
    request,
    services,
    snapshot: services.snapshot(),
    arrivedAt,
    startedAt,
    dialect,
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    limitTime(timeoutMs) {
      const leftMs = timeoutMs - (services.clock.monotonic() - startedAt);
      const expire = () =>
        controller.abort(
          new GatewayError("request_timeout", `The request took longer than ${timeoutMs} ms`),
        );
      deadline = setTimeout(expire, Math.max(0, leftMs));
    },
    envelope: { metadata: {} },
    legs: [],
    events: [],
    warnings: [],
    finished: promise,
    finish(outcome) {
      if (finished) return;
      finished = true;
      clearTimeout(deadline);
      noteHome(outcome);
      noteSamples(outcome);
      const recorded = services.onFinished(outcome);
      if (recorded) void recorded.then(() => resolve(outcome));
      else resolve(outcome);
    },
  };
}

/** Milliseconds since the request arrived. */
export function elapsedMs(exchange: Exchange): number {
  return exchange.services.clock.monotonic() - exchange.startedAt;
}

/** The reason an aborted exchange was aborted for. */
export function abortReason(signal: AbortSignal): GatewayError {
  return signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError("client_closed_request", "The client left");
}
