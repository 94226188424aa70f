import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ask, type InboundDialect, legsFor, startWorld, type World } from "./world.ts";

/** A client library behind the five things every one of them is asked to do. */
export interface Client {
  /** A plain answer's text. */
  text(ask: Ask): Promise<string>;
  /** Streams an answer. Rejects with what the library throws. */
  stream(ask: Ask, onText: (text: string) => void): Promise<void>;
  /** Offers a tool with one text parameter `echo`, answers its call with `answer`, and returns the final text. */
  tool(ask: Ask, stream: boolean, answer: (echo: string) => string): Promise<string>;
  /** An answer in the form `{ echo: string }`, read by the library. */
  structured(ask: Ask): Promise<unknown>;
}

/** What a failure must look like to an application: throws when it does not. */
export interface TypedErrors {
  unauthorized(error: unknown): void;
  notFound(error: unknown): void;
  limited(error: unknown): void;
  /** A stream that breaks off after content. */
  broken(error: unknown): void;
}

/** How to run a client through the suite. */
export interface ClientSuite {
  readonly name: string;
  readonly dialect: InboundDialect;
  /** Makes a client for a gateway; `apiKey` may be a wrong one. It must not retry. */
  connect(url: string, apiKey: string): Client | Promise<Client>;
  readonly errors: TypedErrors;
  /** Whether the library has its structured answers by way of a tool call. */
  readonly structuredByTool?: boolean;
  /** Ends what `connect` started. */
  close?(): Promise<void>;
}

// Well below a test's limit: a client that hangs is told apart from one that is slow.
const patienceMs = 15_000;

/** Runs an unmodified client against the gateway, natively and translated. */
export function clientSuite(suite: ClientSuite): void {
  describe(suite.name, () => {
    let world: World;
    let client: Client;

    beforeAll(async () => {
      world = await startWorld();
      client = await suite.connect(world.url, world.apiKey);
    });
    afterAll(async () => {
      await suite.close?.();
      await world?.stop();
    });

    describe.each(legsFor(suite.dialect))("$name", ({ scenarios }) => {
      test("a plain answer", async () => {
        expect(await client.text(scenarios.text)).toBe(scenarios.text.prompt);
      });

      test("a stream comes in pieces and ends", async () => {
        const pieces: string[] = [];
        await client.stream(scenarios.text, (text) => void pieces.push(text));
        expect(pieces.join("")).toBe(scenarios.text.prompt);
        expect(pieces.filter((text) => text !== "").length).toBeGreaterThan(1);
      });

      test.each([false, true])(
        "a tool is called and its answer used (stream: %s)",
        async (stream) => {
          const calls: string[] = [];
          const text = await client.tool(scenarios.tool, stream, (echo) => {
            calls.push(echo);
            return "it rains in Oslo";
          });
          expect(calls).toEqual([expect.any(String)]);
          expect(text).toContain("it rains in Oslo");
        },
      );

      test("a structured answer", async () => {
        const ask = suite.structuredByTool ? scenarios.tool : scenarios.json;
        expect(await client.structured(ask)).toEqual({ echo: expect.any(String) });
      });

      test("too many requests are the client's own error", async () => {
        suite.errors.limited(await failure(client.text(scenarios.limited)));
        suite.errors.limited(await failure(client.stream(scenarios.limited, () => {})));
      });

      test("a stream that breaks off is the client's own error, after what had arrived", async () => {
        const pieces: string[] = [];
        const streamed = client.stream(scenarios.broken, (text) => void pieces.push(text));
        suite.errors.broken(await failure(streamed));
        expect(pieces.join("")).not.toBe("");
        expect(scenarios.broken.prompt.startsWith(pieces.join(""))).toBe(true);
      });
    });

    test("a wrong key is the client's own error", async () => {
      const ask = { model: "echo", prompt: "hello" };
      const stranger = await suite.connect(world.url, "sk-nobody");
      suite.errors.unauthorized(await failure(stranger.text(ask)));
      suite.errors.unauthorized(await failure(stranger.stream(ask, () => {})));
    });

    test("an unknown model is the client's own error", async () => {
      const ask = { model: "nothing-of-this-name", prompt: "hello" };
      suite.errors.notFound(await failure(client.text(ask)));
      suite.errors.notFound(await failure(client.stream(ask, () => {})));
    });
  });
}

/** What a promise is rejected with. Throws when it resolves, or settles too late. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the client hangs")), patienceMs);
  });
  const settled = promise.then((value) => ({ value }), (error: unknown) => ({ error }));
  const result = await Promise.race([settled, late]).finally(() => clearTimeout(timer));
  if ("error" in result) return result.error;
  throw new Error(`the client did not fail but answered ${JSON.stringify(result.value)}`);
}
