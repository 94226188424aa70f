import { type Answer, ApiCall, headOf } from "./call.ts";
import { errorOf, VmxError } from "./errors.ts";
import { type EventOptions, followEvents, type ServerEvent } from "./events.ts";
import { type Client as HttpClient, createClient } from "./generated/client/index.ts";
import { Api } from "./generated/sdk.gen.ts";
import { List, type Page } from "./list.ts";
import { createNames } from "./names.ts";
import type { AnswerOf, CallOptions, InputOf, ItemOf, ListId, OperationId } from "./operations.ts";
import { send, type SendParts } from "./send.ts";
import { createSession } from "./session.ts";

/** What a client is made of. */
export interface ClientSettings extends SendParts {
  /** Such as `http://127.0.0.1:3000`. */
  readonly baseUrl: string;
  readonly token: string | undefined;
  /** Whether calls are made with a console session instead of a token. */
  readonly session: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxRetries: number;
  readonly timeoutMs: number;
  readonly maxWaitMs: number;
}

/** Calls operations of the API. Everything else of the SDK stands on these. */
export interface Client {
  /** Address of the gateway. */
  readonly baseUrl: string;
  /** Calls an operation; names in its path become ids. */
  call<Id extends OperationId>(
    operation: Id,
    input: InputOf<Id>,
    options?: CallOptions,
  ): ApiCall<AnswerOf<Id>>;
  /** Calls a list operation. */
  list<Id extends ListId>(
    operation: Id,
    input: InputOf<Id>,
    options?: CallOptions,
  ): List<ItemOf<Id>>;
  /** Calls an operation whose answer is read bit by bit. */
  stream<Id extends OperationId>(
    operation: Id,
    input: InputOf<Id>,
    options?: CallOptions,
  ): Promise<Answer<ReadableStream<Uint8Array>>>;
  /** Follows an operation that answers with a stream of events. */
  events<Data>(
    operation: OperationId,
    input: Values,
    options?: EventOptions,
  ): AsyncGenerator<ServerEvent<Data>, void, undefined>;
}

type Values = Readonly<Record<string, unknown>>;
type Operation = (options: Values) => Promise<Result>;

interface Result {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response?: Response;
}

/** Calls whose repetition is not harmless, since the API keeps no answer for them. */
const notRepeatable = new Set<string>(["login", "logout", "changePassword"]);

/** Binds the generated class to credentials, retries, names and typed errors. */
export function createApiClient(settings: ClientSettings): Client {
  const http: HttpClient = createClient({ baseUrl: settings.baseUrl });
  // Streams of events are read here: the generated client repeats what was refused, and drops the reason.
  const api = new Api({ client: { ...http, sse: http } as HttpClient });
  const names = createNames((operation, input) => perform(operation, input, {}));
  const session = settings.session
    ? createSession(async () =>
      (await perform<AnswerOf<"getSession">>("getSession", {}, {})).data.csrfToken ?? ""
    )
    : undefined;

  async function run<T>(
    operation: string,
    input: Values,
    options: CallOptions,
    streamed = false,
  ): Promise<Answer<T>> {
    const resolved = await names.resolve(operation, input);
    try {
      return await perform(operation, resolved, options, streamed);
    } catch (error) {
      if (!(error instanceof VmxError)) throw error;
      if (error.code === "WORKSPACE_NOT_FOUND" || error.code === "ENVIRONMENT_NOT_FOUND") {
        names.forget();
      }
      if (error.code !== "CSRF_TOKEN_INVALID" || !session) throw error;
      // Another tab has signed in again: the session is a new one.
      session.forget();
      return await perform(operation, resolved, options, streamed);
    }
  }

  async function perform<T>(
    operation: string,
    input: Values,
    options: CallOptions,
    streamed = false,
  ): Promise<Answer<T>> {
    // The generated class has a method of this name for every operation.
    const method = (api as unknown as Record<string, Operation>)[operation]!.bind(api);
    const { data, error, response } = await method({
      ...input,
      headers: callHeaders(options),
      ...(streamed ? { parseAs: "stream" } : {}),
      fetch: (request: Request) => dispatch(operation, request, options, streamed),
    });
    if (!response) throw error;
    if (response.ok && error !== undefined) {
      throw new VmxError(`Cannot read the answer of ${new URL(settings.baseUrl).origin}`, {
        status: response.status,
        code: "ANSWER_NOT_UNDERSTOOD",
        cause: error,
      });
    }
    if (!response.ok) throw errorOf(response, error);
    session?.learn(response, data);
    return { ...headOf(response), data: (response.status === 204 ? undefined : data) as T };
  }

  async function dispatch(
    operation: string,
    request: Request,
    options: CallOptions,
    streamed: boolean,
  ): Promise<Response> {
    const { method, url } = request;
    const headers: Record<string, string> = {
      accept: streamed ? "*/*" : "application/json, application/problem+json",
      ...settings.headers,
      ...Object.fromEntries(request.headers),
      ...(method === "POST" ? { "idempotency-key": idempotencyKey(options) } : {}),
      ...(settings.token === undefined ? {} : { authorization: `Bearer ${settings.token}` }),
      // Who signs in has no session yet, or wants another.
      ...(operation === "login" ? {} : await session?.headers(method)),
    };
    const body = await request.text();
    const init: RequestInit = {
      method,
      headers,
      redirect: "error",
      credentials: settings.session ? "same-origin" : "omit",
      ...(body === "" ? {} : { body }),
    };
    return await send(settings, { url, init }, {
      signal: options.signal,
      maxRetries: options.maxRetries ?? settings.maxRetries,
      timeoutMs: options.timeoutMs ?? settings.timeoutMs,
      maxWaitMs: settings.maxWaitMs,
      repeatable: isRepeatable(operation, method, options),
      streamed,
    });
  }

  return {
    baseUrl: settings.baseUrl,
    call: <Id extends OperationId>(operation: Id, input: InputOf<Id>, options: CallOptions = {}) =>
      new ApiCall(run<AnswerOf<Id>>(operation, input as Values, options)),
    list: <Id extends ListId>(operation: Id, input: InputOf<Id>, options: CallOptions = {}) =>
      new List<ItemOf<Id>>(async (cursor) => {
        const { query, ...rest } = input as { readonly query?: Values };
        const answer = await run<Page<ItemOf<Id>>>(operation, {
          ...rest,
          ...(query || cursor !== undefined
            ? { query: { ...query, ...(cursor === undefined ? {} : { cursor }) } }
            : {}),
        }, options);
        // Lists that cannot grow have no cursor.
        return {
          ...answer,
          data: { data: answer.data.data, nextCursor: answer.data.nextCursor ?? null },
        };
      }),
    stream: (operation, input, options = {}) => run(operation, input as Values, options, true),
    events: (operation, input, options = {}) =>
      followEvents({
        open: (lastEventId, signal) =>
          run(operation, input, {
            signal,
            maxRetries: 0,
            headers: {
              accept: "text/event-stream",
              ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
            },
          }, true),
        sleep: settings.sleep,
        random: settings.random,
      }, options),
  };
}

/** Whether a request whose answer was lost may be sent again. */
function isRepeatable(operation: string, method: string, { ifMatch }: CallOptions): boolean {
  if (notRepeatable.has(operation) || method === "DELETE") return false;
  // The change that arrived would be mistaken for somebody else's.
  return method === "GET" || method === "POST" || ifMatch === undefined;
}

function idempotencyKey({ idempotencyKey }: CallOptions): string {
  return idempotencyKey ?? crypto.randomUUID();
}

function callHeaders({ ifMatch, ifNoneMatch, headers }: CallOptions): Record<string, string> {
  return {
    ...headers,
    ...(ifMatch === undefined ? {} : { "If-Match": etag(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { "If-None-Match": etag(ifNoneMatch) }),
  };
}

function etag(version: number | string): string {
  return typeof version === "number" ? `"${version}"` : version;
}
