import { expect } from "vitest";
import { type Python, type PythonLine, startPython } from "./python/process.ts";
import { type Client, clientSuite, type TypedErrors } from "./suite.ts";
import type { Ask, InboundDialect } from "./world.ts";

/* The SDKs from PyPI, in a process of their own that does as it is told. */

class PythonError extends Error {
  readonly classes: readonly string[];

  constructor({ message, classes }: NonNullable<PythonLine["error"]>) {
    super(message);
    this.classes = classes;
  }
}

const isA = (name: string) => (error: unknown) => {
  expect(error).toBeInstanceOf(PythonError);
  expect((error as PythonError).classes, String(error)).toContain(name);
};

const errorsOf = (library: string): TypedErrors => ({
  unauthorized: isA(`${library}.AuthenticationError`),
  notFound: isA(`${library}.NotFoundError`),
  limited: isA(`${library}.RateLimitError`),
  broken: isA(`${library}.APIError`),
});

const suites: readonly [name: string, InboundDialect, library: string][] = [
  ["openai of PyPI, Chat Completions", "openai-chat", "openai"],
  ["openai of PyPI, Responses", "openai-responses", "openai"],
  ["anthropic of PyPI", "anthropic-messages", "anthropic"],
];

for (const [name, dialect, library] of suites) {
  let python: Python | undefined;
  clientSuite({
    name,
    dialect,
    errors: errorsOf(library),
    async connect(url, apiKey) {
      const started = python ??= await startPython();
      return clientOf(started, { client: dialect, url, apiKey });
    },
    close: async () => await python?.close(),
  });
}

function clientOf(python: Python, members: object): Client {
  async function ask(
    method: keyof Client,
    { model, prompt }: Ask,
    handle: { stream?: boolean; text?(text: string): void; answer?(echo: string): string } = {},
  ): Promise<unknown> {
    let last: PythonLine = {};
    const { stream } = handle;
    await python.request({ ...members, method, model, prompt, stream }, (line) => {
      last = line;
      if (line.text !== undefined) handle.text?.(line.text);
      if (line.echo !== undefined) return { answer: handle.answer!(line.echo) };
      return !("result" in line || "error" in line);
    });
    if (last.error) throw new PythonError(last.error);
    return last.result;
  }
  return {
    text: async (asked) => String(await ask("text", asked)),
    stream: async (asked, text) => void await ask("stream", asked, { text }),
    tool: async (asked, stream, answer) => String(await ask("tool", asked, { stream, answer })),
    structured: (asked) => ask("structured", asked),
  };
}
