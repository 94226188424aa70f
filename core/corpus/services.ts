import type { Operation } from "../contract/index.ts";
import { Secret } from "../kit/index.ts";
import type { Recording } from "./recordings.ts";

/** A connection to the replaying upstream. */
export interface Connection {
  readonly provider: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A folder of recordings, and how the gateway reaches the service they came from. */
export interface Service {
  readonly folder: string;
  readonly operation: Operation;
  /** Dialect of the callers, for operations not all dialects have. */
  readonly caller?: string;
  /** The dialect a recording is in. */
  readonly dialect: (recording: Recording) => string;
  /** The connection for callers of a dialect; it leads to a leg that speaks the recording's own. */
  readonly connection: (caller: string, recorded: string, baseUrl: string) => Connection;
}

const apiKey = new Secret("sk-upstream-credential-1234567890");

/** A service that speaks one dialect alone, so that callers of others are translated for. */
function compatible(dialect: string, baseUrl: string, credential: object = { apiKey }): Connection {
  return {
    provider: "openai-compatible",
    config: { baseUrl, dialects: [dialect], ...credential },
  };
}

const always = (value: string) => () => value;
const keyed = (provider: string): Service["connection"] => (_caller, _recorded, baseUrl) => ({
  provider,
  config: { baseUrl, apiKey },
});

/** The vendor's own provider where it passes through; it would answer callers of its other dialect natively too. */
const bilingual = (provider: string): Service["connection"] => (caller, recorded, baseUrl) => {
  const speaksRecorded = caller === recorded ||
    (provider === "openai" && caller === "anthropic-messages" && recorded === "openai-responses") ||
    (provider === "groq" && caller === "anthropic-messages");
  return speaksRecorded ? { provider, config: { baseUrl, apiKey } } : compatible(recorded, baseUrl);
};

const bedrock: Service["connection"] = (_caller, _recorded, baseUrl) => ({
  provider: "aws-bedrock",
  config: {
    region: "us-east-1",
    accessKeyId: new Secret("AKIAIOSFODNN7EXAMPLE"),
    secretAccessKey: new Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    baseUrl,
  },
});

/** Every folder of the corpus. A service joins by one entry. */
export const services: readonly Service[] = [
  {
    folder: "openai-chat",
    operation: "chat",
    dialect: always("openai-chat"),
    connection: bilingual("openai"),
  },
  {
    folder: "openai-responses",
    operation: "chat",
    // One case is a stream of the older language under the newer one's path.
    dialect: ({ name }) =>
      name.endsWith("/streaming-text-e96b8b") ? "openai-chat" : "openai-responses",
    connection: bilingual("openai"),
  },
  {
    folder: "azure-openai",
    operation: "chat",
    dialect: ({ api }) => api === "responses" ? "openai-responses" : "openai-chat",
    connection: (_caller, recorded, baseUrl) =>
      compatible(recorded, baseUrl, { headers: { "api-key": apiKey } }),
  },
  {
    folder: "anthropic",
    operation: "chat",
    dialect: always("anthropic-messages"),
    connection: keyed("anthropic"),
  },
  {
    folder: "bedrock-invoke",
    operation: "chat",
    dialect: always("anthropic-messages"),
    connection: (_caller, recorded, baseUrl) => compatible(recorded, baseUrl),
  },
  {
    folder: "groq",
    operation: "chat",
    dialect: always("openai-chat"),
    connection: bilingual("groq"),
  },
  {
    folder: "google",
    operation: "chat",
    dialect: always("gemini-generate-content"),
    connection: keyed("gemini"),
  },
  {
    folder: "google-vertex",
    operation: "chat",
    dialect: always("gemini-generate-content"),
    connection: keyed("gemini"),
  },
  {
    folder: "bedrock",
    operation: "chat",
    dialect: always("bedrock-converse"),
    connection: bedrock,
  },
  {
    folder: "openai-embeddings",
    operation: "embeddings",
    dialect: always("openai-chat"),
    connection: keyed("openai"),
  },
  {
    folder: "google-embeddings",
    operation: "embeddings",
    dialect: always("gemini-generate-content"),
    connection: keyed("gemini"),
  },
  {
    folder: "bedrock-embeddings",
    operation: "embeddings",
    dialect: always("bedrock-converse"),
    connection: bedrock,
  },
  {
    folder: "openai-models",
    operation: "models",
    dialect: always("openai-chat"),
    connection: keyed("openai"),
  },
  {
    folder: "anthropic-models",
    operation: "models",
    caller: "anthropic-messages",
    dialect: always("anthropic-messages"),
    connection: keyed("anthropic"),
  },
];
