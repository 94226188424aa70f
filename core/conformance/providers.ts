import { deepEqual, doesNotMatch, equal, ok, rejects } from "node:assert/strict";
import { inspect } from "node:util";
import type { Operation } from "../contract/call.ts";
import { GatewayError } from "../contract/errors.ts";
import type { JsonObject } from "../contract/json.ts";
import type { PluginContext } from "../contract/plugin.ts";
import {
  type Provider,
  type ProviderConnection,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
} from "../contract/provider.ts";
import { createEgressGuard } from "../kit/egress.ts";
import { createHttpClient, type GatewayHttpClient } from "../kit/http.ts";
import type { Case } from "./case.ts";
import { fakeAnswers, type FakeUpstream, startFakeUpstream } from "./fake-upstream.ts";

/** What the suite needs of a provider that speaks HTTP. */
export interface ProviderSubject {
  /** Makes the provider; called once per case. */
  create(context: Pick<PluginContext, "http" | "fetch" | "clock">): Provider | Promise<Provider>;
  /** A connection's configuration that calls `baseUrl` with `credential` (wrapped as the host would). */
  config(baseUrl: string, credential: string): ProviderConnection["config"];
  readonly model: string;
  /** The dialect and path the requests of the suite have, and a small body in it. */
  readonly dialect: string;
  readonly path: string;
  readonly body: JsonObject;
  /** What the provider itself puts between the base URL and the path, such as `/v1`. */
  readonly basePath?: string;
  /** Names of the headers that tell limits, beside `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`. */
  readonly limitHeaders?: readonly string[];
  /** The service's answer that lists `model-a` and `model-b`, where its form is not the usual one. */
  readonly modelsList?: JsonObject;
  /** Why the service has no models list, when it has none. */
  readonly noModelsList?: string;
}

/** Time limits of the suite's HTTP client, short so that faults show quickly. */
const idleTimeoutMs = 150;

const credential = "sk-canary-0123456789abcdef";

interface Scene {
  readonly upstream: FakeUpstream;
  readonly provider: Provider;
  readonly connection: ProviderConnection;
  send(changes?: Partial<ProviderRequest>, signal?: AbortSignal): Promise<ProviderResponse>;
}

/** What every provider over HTTP must do, against a service that answers well and badly. */
export function providerCases(subject: ProviderSubject): readonly Case[] {
  const scene = (run: (scene: Scene) => Promise<void>) => () => onStage(subject, run);
  return [...callCases(scene, subject), ...faultCases(scene), ...judgementCases(scene, subject)];
}

type Stage = (run: (scene: Scene) => Promise<void>) => () => Promise<void>;

function callCases(scene: Stage, subject: ProviderSubject): readonly Case[] {
  return [
    {
      name: "posts the body byte for byte below the base URL, with the query it is given",
      run: scene(async ({ send, upstream }) => {
        const body = '{ "model" : "m",\n"x":1.0, "y":"\\u00e9ü" }';
        await read(await send({ body, query: "a=b" }));
        const [request] = upstream.requests;
        equal(request?.method, "POST");
        equal(request?.url, `/prefix${subject.basePath ?? ""}${subject.path}?a=b`);
        equal(request?.body, body);
      }),
    },
    {
      name:
        "authenticates with the connection's credential, never with the caller's, never in the URL",
      run: scene(async ({ send, upstream }) => {
        await read(await send({ headers: { authorization: "Bearer evil", "x-api-key": "evil" } }));
        const [request] = upstream.requests;
        ok(JSON.stringify(request?.headers).includes(credential), "the credential was not sent");
        ok(!String(request?.headers["authorization"]).includes("evil"));
        doesNotMatch(request?.url ?? "", /canary/);
      }),
    },
    {
      name: "answers status, headers and body of the service unchanged",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.text(200, "application/json", '{ "a" : 1.0 }'));
        const response = await send();
        equal(response.status, 200);
        equal(response.framing, "json");
        equal(response.headers["content-type"], "application/json");
        equal(await read(response), '{ "a" : 1.0 }');
      }),
    },
    {
      name: "answers a stream as server-sent events, each as soon as it comes",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.events(["one", "two", "[DONE]"], 10));
        const response = await send({ stream: true });
        equal(response.framing, "sse");
        const chunks: string[] = [];
        for await (const chunk of response.body) chunks.push(Buffer.from(chunk).toString());
        ok(chunks.length >= 2, "the stream was held back");
        equal(chunks.join(""), "data: one\n\ndata: two\n\ndata: [DONE]\n\n");
      }),
    },
    {
      name: "answers an error of the service instead of throwing it",
      run: scene(async ({ send, upstream }) => {
        for (const status of [400, 401, 404, 429, 500, 503]) {
          upstream.script(fakeAnswers.json(status, { error: { message: "no" } }));
          const response = await send({ stream: true });
          equal(response.status, status);
          equal(response.framing, "json");
          equal(await read(response), '{"error":{"message":"no"}}');
        }
      }),
    },
    {
      name: "answers a page of HTML as what it is",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.text(502, "text/html", "<html>Bad gateway</html>"));
        const response = await send({ stream: true });
        equal(response.status, 502);
        equal(response.framing, "json");
        equal(await read(response), "<html>Bad gateway</html>");
      }),
    },
    {
      name: "does not follow a redirect",
      run: scene(async ({ send, upstream }) => {
        upstream.script((response) => {
          response.writeHead(307, { location: `${upstream.url}/elsewhere` });
          response.end();
        });
        equal((await send()).status, 307);
        equal(upstream.requests.length, 1);
      }),
    },
  ];
}

function faultCases(scene: Stage): readonly Case[] {
  return [
    {
      name: "fails with a timeout when the service says nothing",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.silence());
        await rejects(send(), isFailure("timeout"));
        await upstream.untilSockets(0, 200);
      }),
    },
    {
      name: "waits for a slow head within the limit",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.slowHead(idleTimeoutMs / 2, { a: 1 }));
        equal(await read(await send()), '{"a":1}');
      }),
    },
    {
      name: "fails with a reset when the service breaks off before it answers",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.resetBefore());
        await rejects(send(), isFailure("reset"));
      }),
    },
    {
      name: "fails to connect when nobody listens",
      run: scene(async ({ send, upstream }) => {
        await upstream.close();
        await rejects(send(), isFailure("connect"));
      }),
    },
    {
      name: "fails in the body when the service breaks off or stalls in mid-answer",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.resetAfter("data: one\n\n"));
        await rejects(read(await send({ stream: true })), isFailure("reset"));
        upstream.script(fakeAnswers.stallAfter("data: one\n\n"));
        await rejects(read(await send({ stream: true })), isFailure("timeout"));
      }),
    },
    {
      name: "gives what came before an orderly but early end",
      run: scene(async ({ send, upstream }) => {
        upstream.script(fakeAnswers.truncated("data: one\n\ndata: tw"));
        equal(await read(await send({ stream: true })), "data: one\n\ndata: tw");
      }),
    },
    {
      name: "refuses answers that are not HTTP or have huge headers",
      run: scene(async ({ send, upstream }) => {
        for (const answer of [fakeAnswers.garbage(), fakeAnswers.hugeHeaders(200 * 1024)]) {
          upstream.script(answer);
          await rejects(send(), (error) => {
            ok(error instanceof GatewayError, String(error));
            equal(error.code, "upstream_invalid_response");
            return hidesCredential(error);
          });
        }
      }),
    },
    {
      name: "rejects with the signal's reason and closes the socket within 100 ms when aborted",
      run: scene(async ({ send, upstream }) => {
        const reason = new Error("client left");
        for (const answer of [fakeAnswers.silence(), fakeAnswers.stallAfter("data: one\n\n")]) {
          upstream.script(answer);
          const controller = new AbortController();
          const reading = send({ stream: true }, controller.signal).then(read);
          setTimeout(() => controller.abort(reason), 30);
          await rejects(reading, (error) => error === reason);
          await upstream.untilSockets(0, 100);
        }
      }),
    },
    {
      name: "calls nothing when the signal is aborted already",
      run: scene(async ({ send, upstream }) => {
        const reason = new Error("client left");
        await rejects(send({}, AbortSignal.abort(reason)), (error) => error === reason);
        equal(upstream.requests.length, 0);
      }),
    },
  ];
}

/** Header values a hostile or broken service may send. */
const oddValues = [
  "NaN",
  "-1",
  "Infinity",
  "1e999",
  "",
  "x".repeat(10_000),
  "9".repeat(30),
  "\u0000",
  "0",
];

function judgementCases(scene: Stage, subject: ProviderSubject): readonly Case[] {
  return [
    {
      name: "names its operations once each and at least one dialect for every caller",
      run: scene(async ({ provider, connection }) => {
        equal(new Set(provider.operations).size, provider.operations.length);
        for (const callerDialect of [subject.dialect, "another-dialect"]) {
          const choice = { model: subject.model, operation: "chat" as Operation, callerDialect };
          const dialects = provider.dialects(choice, connection);
          ok(dialects.length > 0);
          equal(new Set(dialects).size, dialects.length);
        }
      }),
    },
    {
      name: "makes neither nonsense nor an error of odd limit headers",
      run: scene(async ({ provider }) => {
        const names = ["limit", "remaining", "reset"].flatMap((what) =>
          ["requests", "tokens"].map((axis) => `x-ratelimit-${what}-${axis}`)
        );
        for (const value of oddValues) {
          const all = [...names, ...subject.limitHeaders ?? []];
          const headers = Object.fromEntries(all.map((name) => [name, value]));
          for (const limit of Object.values(provider.limits?.(headers) ?? {})) {
            for (const number of Object.values(limit as Record<string, number>)) {
              ok(Number.isSafeInteger(number) && number >= 0, `${value} became ${number}`);
            }
          }
        }
      }),
    },
    {
      name: "classifies any error answer without throwing",
      run: scene(async ({ provider }) => {
        for (const status of [400, 401, 402, 403, 404, 408, 409, 429, 500, 529, 599]) {
          for (const odd of oddValues) {
            const headers = { "retry-after": odd, "retry-after-ms": odd };
            const answer = {
              status,
              headers,
              code: odd,
              type: odd,
              message: `try again in ${odd}`,
            };
            const wait = provider.classify?.(answer)?.retryAfterMs;
            ok(wait === undefined || (Number.isFinite(wait) && wait >= 0), `${odd} became ${wait}`);
          }
        }
      }),
    },
    {
      name: "does not retry a used-up quota",
      run: scene(async ({ provider }) => {
        const verdict = provider.classify?.({
          status: 429,
          headers: {},
          code: "insufficient_quota",
          type: "insufficient_quota",
          message: "You exceeded your current quota",
        });
        ok(verdict === undefined || verdict.retryable === false);
      }),
    },
    {
      name: "adapts a body without touching the one it was given",
      run: scene(async ({ provider, connection }) => {
        const body = structuredClone(subject.body);
        const request = {
          operation: "chat" as Operation,
          dialect: subject.dialect,
          model: subject.model,
        };
        provider.adapt?.({ ...request, body }, connection);
        deepEqual(body, subject.body);
      }),
    },
    {
      name: "lists the models of the credential",
      ...(subject.noModelsList !== undefined && { skip: subject.noModelsList }),
      run: scene(async ({ provider, connection, upstream }) => {
        const data = ["model-a", "model-b"].map((id) => ({
          id,
          object: "model",
          created: 1,
          owned_by: "x",
        }));
        upstream.script(fakeAnswers.json(200, subject.modelsList ?? { object: "list", data }));
        const ids = await provider.listModels?.(connection, new AbortController().signal);
        deepEqual(ids, ["model-a", "model-b"]);
        equal(upstream.requests[0]?.method, "GET");
        ok(JSON.stringify(upstream.requests[0]?.headers).includes(credential));
      }),
    },
    {
      name: "fails to list models with a plain error that hides the credential",
      ...(subject.noModelsList !== undefined && { skip: subject.noModelsList }),
      run: scene(async ({ provider, connection, upstream }) => {
        const list = () => provider.listModels!(connection, new AbortController().signal);
        const answers = [
          fakeAnswers.json(401, { error: { message: `Incorrect API key: ${credential}` } }),
          fakeAnswers.json(500, { error: { message: credential } }),
          fakeAnswers.text(200, "text/html", "<html></html>"),
          fakeAnswers.json(200, { data: "none" }),
          fakeAnswers.resetBefore(),
        ];
        for (const answer of answers) {
          upstream.script(answer);
          await rejects(list(), (error) => {
            ok(error instanceof GatewayError || error instanceof ProviderFailure, inspect(error));
            return hidesCredential(error);
          });
        }
      }),
    },
  ];
}

async function onStage(
  subject: ProviderSubject,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const upstream = await startFakeUpstream();
  const client: GatewayHttpClient = createHttpClient({
    connectTimeoutMs: 1000,
    idleTimeoutMs,
    guard: createEgressGuard({ privateRanges: "allow" }),
    clock,
  });
  try {
    const provider = await subject.create({ http: client, fetch: client.fetch, clock });
    const connection: ProviderConnection = {
      connectionId: "connection-1",
      name: "connection",
      workspaceId: "workspace-1",
      environmentId: "environment-1",
      config: subject.config(`${upstream.url}/prefix/`, credential),
    };
    const send: Scene["send"] = (changes = {}, signal = new AbortController().signal) => {
      const request = { ...requestOf(subject), ...changes };
      return provider.send(request, connection, signal);
    };
    await run({ upstream, provider, connection, send });
  } finally {
    await client.close();
    await upstream.close();
  }
}

function requestOf(subject: ProviderSubject): ProviderRequest {
  return {
    requestId: "request-1",
    operation: "chat",
    dialect: subject.dialect,
    model: subject.model,
    stream: false,
    path: subject.path,
    body: JSON.stringify(subject.body),
    bodyObject: () => subject.body,
    headers: {},
  };
}

async function read(response: ProviderResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function isFailure(kind: ProviderFailure["kind"]): (error: unknown) => boolean {
  return (error) => {
    ok(error instanceof ProviderFailure, inspect(error));
    equal(error.kind, kind);
    return hidesCredential(error);
  };
}

function hidesCredential(error: unknown): true {
  doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /canary/);
  return true;
}
