import {
  type AnswerContext,
  type Call,
  type Clock,
  type Dialect,
  GatewayError,
  type Part,
  type Provider,
  type ProviderConnection,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
  type StreamPart,
} from "@vmx/core/contract";
import { assembleParts, readRateLimits, writeFrame } from "@vmx/core/kit";
import { compose, digest } from "./compose.ts";
import { type Directives, parseDirectives } from "./directives.ts";
import { embed } from "./embeddings.ts";
import { limitHeaders, refuse, refuseAsAsked, type RefusedAnswer } from "./refuse.ts";

/** What the provider needs from outside. */
export interface EchoSurroundings {
  readonly clock: Pick<Clock, "now">;
  /** Waits, or rejects with the signal's reason as soon as it is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The dialects it answers in, preferred first. */
  readonly dialects: readonly Dialect[];
}

/** The family noted beside reasoning signatures. */
const family = "echo";

/** A request once it is understood. */
interface Understood {
  readonly request: ProviderRequest;
  readonly dialect: Dialect;
  readonly directives: Directives;
  readonly call: Call;
  readonly context: AnswerContext;
  readonly inputTokens: number;
  readonly config: EchoConfiguration;
}

interface EchoConfiguration {
  readonly seed?: number;
  readonly label?: string;
}

/** The provider `echo`: answers with the last user text; the model's name selects behaviour. */
export function createEchoProvider(surroundings: EchoSurroundings): Provider {
  const { clock, sleep, dialects } = surroundings;

  async function send(
    request: ProviderRequest,
    connection: ProviderConnection,
    signal: AbortSignal,
  ): Promise<ProviderResponse> {
    signal.throwIfAborted();
    const dialect = dialects.find(({ id }) => id === request.dialect);
    if (dialect === undefined) {
      const message = `Cannot answer in the dialect "${request.dialect}": echo does not speak it`;
      throw new GatewayError("operation_not_supported", message);
    }
    const { requestId } = request;
    const directives = parseDirectives(request.model);
    if (directives === undefined) {
      const message = `The model "${request.model.slice(0, 200)}" does not exist`;
      const error = { status: 404, code: "model_not_found", message, requestId };
      return answered(refuse(dialect, error), requestId);
    }
    if (directives.hang) await untilAborted(signal);
    try {
      const understood = understand(request, dialect, directives, connection);
      return await answer(understood, signal);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { status, code, message } = error;
      return answered(refuse(dialect, { status, code, message, requestId }), requestId);
    }
  }

  function understand(
    request: ProviderRequest,
    dialect: Dialect,
    directives: Directives,
    connection: ProviderConnection,
  ): Understood {
    const { operation, requestId, model, stream } = request;
    const body = request.bodyObject();
    const call = { ...dialect.decodeRequest(body, operation).value, model };
    const context: AnswerContext = {
      operation,
      requestId,
      stream,
      model,
      call,
      family,
      now: Math.floor(clock.now() / 1000),
      includeUsage: dialect.inbound?.usageRequest(body, operation).callerAsked ?? true,
    };
    const inputTokens = dialect.inbound?.inspect(body, operation).inputTokens ?? 0;
    // The host has validated the configuration against the plugin's schema.
    const config = connection.config as EchoConfiguration;
    return { request, dialect, directives, call, context, inputTokens, config };
  }

  async function answer(understood: Understood, signal: AbortSignal): Promise<ProviderResponse> {
    const { directives, dialect, request, context } = understood;
    const { requestId } = request;
    const streamed = request.stream && request.operation === "chat";
    if (!streamed || directives.status !== undefined) await sleep(directives.slowMs, signal);
    if (directives.status !== undefined) {
      return answered(refuseAsAsked(dialect, directives.status, directives, requestId), requestId);
    }
    const headers = headersOf(understood, requestId);
    if (streamed) {
      // Read to the first part, so that a refusal still has a status of its own.
      const parts = partsOf(understood);
      const body = write(parts.next(), parts, understood, signal);
      return {
        status: 200,
        headers: { ...headers, "content-type": "text/event-stream; charset=utf-8" },
        body,
        framing: "sse",
      };
    }
    if (directives.failAfter !== undefined) throw brokenOff();
    const parts: readonly Part[] = request.operation === "embeddings"
      ? embedded(understood)
      : assembleParts(partsOf(understood));
    const text = JSON.stringify(dialect.encodeResponse(parts, context).value);
    return answered({ status: 200, headers, text }, requestId);
  }

  function partsOf(understood: Understood): Iterator<StreamPart> & Iterable<StreamPart> {
    const { call, directives, config, context, inputTokens, request } = understood;
    return compose({
      call,
      directives,
      inputTokens,
      label: config.label,
      id: `echo-${digest(`${config.seed ?? 0}:${request.requestId}`).slice(0, 24)}`,
      now: context.now,
    });
  }

  async function* write(
    first: IteratorResult<StreamPart>,
    rest: Iterator<StreamPart>,
    { dialect, context, directives }: Understood,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const encoder = dialect.streamEncoder(context);
    const bytes = new TextEncoder();
    const text = (frames: Iterable<{ readonly data: string }>): Uint8Array =>
      bytes.encode([...frames].map(writeFrame).join(""));
    let written = 0;
    for (let next = first; next.done !== true; next = rest.next()) {
      const isContent = next.value.type === "block-delta";
      if (isContent && written === directives.failAfter) throw brokenOff();
      if (isContent) await sleep(written === 0 ? directives.slowMs : directives.paceMs, signal);
      signal.throwIfAborted();
      const chunk = text(encoder.push(next.value));
      if (chunk.length > 0) yield chunk;
      if (isContent) written++;
    }
    if (directives.failAfter !== undefined) throw brokenOff();
    yield text(encoder.end());
  }

  return {
    operations: ["chat", "embeddings", "models"],
    dialects: () => dialects.map(({ id }) => id),
    send,
    limits: (headers) => readRateLimits(headers),
    listModels: () => Promise.resolve(["echo"]),
  };
}

function embedded({ call, directives, inputTokens }: Understood): Part[] {
  const vectors = embed(call.embeddings ?? { input: [] });
  const tokens = {
    inputUncached: inputTokens,
    inputCacheRead: null,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output: 0,
    reasoning: null,
    audioInput: null,
    audioOutput: null,
  };
  const start: Part = { type: "start", model: call.model };
  return [start, ...vectors, ...(directives.usage ? [{ type: "usage", tokens } as const] : [])];
}

function headersOf(
  { directives: { limits }, inputTokens }: Understood,
  requestId: string,
): Record<string, string> {
  const told = limits === undefined ? {} : limitHeaders(
    limits.requests,
    limits.tokens,
    Math.max(0, limits.requests - 1),
    Math.max(0, limits.tokens - inputTokens),
  );
  return { "x-request-id": requestId, ...told };
}

function answered({ status, headers, text }: RefusedAnswer, requestId: string): ProviderResponse {
  return {
    status,
    headers: { "content-type": "application/json", "x-request-id": requestId, ...headers },
    body: once(text),
    framing: "json",
  };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function brokenOff(): ProviderFailure {
  return new ProviderFailure("reset", "The service closed the connection in mid-answer");
}
