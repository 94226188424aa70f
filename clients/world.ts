import { LLMock } from "@copilotkit/aimock";
import { startTestGateway } from "../core/gateway/testing.ts";
import { Secret } from "../core/kit/index.ts";

/** What a client asks, and of whom. */
export interface Ask {
  /** Name of an AI resource. */
  readonly model: string;
  readonly prompt: string;
}

/** The situations every client is put into. */
export interface Scenarios {
  /** The prompt comes back as text. */
  readonly text: Ask;
  /** The first tool offered is called with `{ echo }`; its result is answered with text that holds it. */
  readonly tool: Ask;
  /** The answer is JSON with a member `echo`. */
  readonly json: Ask;
  /** The service answers 429. */
  readonly limited: Ask;
  /** The service breaks off after the first content. */
  readonly broken: Ask;
}

/** A way through the gateway: to a service that speaks the client's dialect, or to one that does not. */
export interface Leg {
  readonly name: string;
  readonly scenarios: Scenarios;
}

/** A dialect that clients speak and services may. */
export type InboundDialect = "openai-chat" | "openai-responses" | "anthropic-messages";

/** A gateway between clients and two services: the echo provider and an independent emulator. */
export interface World {
  /** Address of the gateway without a path. */
  readonly url: string;
  readonly apiKey: string;
  stop(): Promise<void>;
}

const dialects: readonly InboundDialect[] = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
];

const prompts: Readonly<Record<keyof Scenarios, string>> = {
  text: "Say these seven words back to me",
  tool: "Call the tool you were given",
  json: "Answer in the form I asked for",
  limited: "Refuse me because I ask too often",
  broken: "Break off in the middle of this rather long sentence, which is longer than one frame",
};

const echoModels: Readonly<Record<keyof Scenarios, string>> = {
  text: "echo",
  tool: "echo-tool",
  json: "echo-json",
  limited: "echo-status-429",
  broken: "echo-fail-after-3",
};

/** The legs of a client that speaks `dialect`: one passes through, the others are translated. */
export function legsFor(dialect: InboundDialect): readonly Leg[] {
  return [
    { name: "echo", scenarios: scenarios((name) => echoModels[name]) },
    ...dialects.filter((other) => other !== dialect).map((other) => ({
      name: `translated to ${other}`,
      scenarios: scenarios(() => `through-${other}`),
    })),
  ];
}

/** Starts gateway and emulator with one resource per leg. */
export async function startWorld(): Promise<World> {
  const emulator = emulate(new LLMock({ port: 0 }));
  const [gateway] = await Promise.all([startTestGateway(), emulator.start()]);
  const echo = gateway.snapshot.setConnection("echo", "echo");
  for (const model of Object.values(echoModels)) {
    const { connectionId } = echo;
    gateway.snapshot.setResource(model, { connectionId, provider: "echo", model });
  }
  for (const dialect of dialects) {
    const { connectionId, provider } = gateway.snapshot.setConnection(
      dialect,
      "openai-compatible",
      {
        config: {
          baseUrl: `${emulator.url}/v1`,
          apiKey: new Secret("sk-emulated"),
          dialects: [dialect],
        },
      },
    );
    gateway.snapshot.setResource(`through-${dialect}`, { connectionId, provider, model: "model" });
  }
  return {
    url: gateway.url,
    apiKey: gateway.apiKey,
    async stop() {
      await gateway.stop();
      await emulator.stop();
    },
  };
}

function scenarios(model: (name: keyof Scenarios) => string): Scenarios {
  const ask = (name: keyof Scenarios): Ask => ({ model: model(name), prompt: prompts[name] });
  return {
    text: ask("text"),
    tool: ask("tool"),
    json: ask("json"),
    limited: ask("limited"),
    broken: ask("broken"),
  };
}

/** Gives the emulator the same manners as the echo provider. */
function emulate(mock: LLMock): LLMock {
  mock.on({ hasToolResult: true }, ({ messages }) => ({
    content: `The tool answered: ${JSON.stringify(messages.at(-1)?.content)}`,
  }));
  mock.onMessage(prompts.text, { content: prompts.text }, { chunkSize: 5 });
  mock.onMessage(prompts.tool, ({ tools }) => ({
    toolCalls: [{ name: tools![0]!.function.name, arguments: '{"echo":"Oslo"}' }],
  }));
  mock.onMessage(prompts.json, { content: '{"echo":"Oslo"}' }, { chunkSize: 4 });
  mock.onMessage(prompts.limited, {
    error: { message: "Too many requests", type: "rate_limit_error" },
    status: 429,
    retryAfter: 7,
  });
  // A pause between frames: a connection that is reset at once loses what was on its way.
  mock.onMessage(prompts.broken, { content: prompts.broken }, {
    latency: 5,
    chunkSize: 4,
    truncateAfterChunks: 9,
  });
  return mock;
}
