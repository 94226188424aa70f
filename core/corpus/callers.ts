import type { Call, Dialect, Inbound, JsonObject, Part, StreamPart } from "../contract/index.ts";
import { assembleParts, createSseReader } from "../kit/index.ts";

/** A dialect applications speak. */
export type CallerDialect = Dialect & { readonly inbound: Inbound };

/** A request as an application sends it. */
export interface CallerRequest {
  readonly path: string;
  readonly body: JsonObject;
  /** True when the recorded request cannot be said in the dialect, so that only its stream flag is kept. */
  readonly minimal: boolean;
}

/** The model a request names, and whether its answer is to be streamed. */
export interface Asked {
  readonly model: string;
  readonly stream: boolean;
}

interface Language {
  readonly path: string;
  /** Members of the smallest request. */
  readonly least: JsonObject;
  /** What makes a stream report usage to its caller. */
  readonly usage: JsonObject;
}

const hello = [{ role: "user", content: "hi" }];

const languages: Readonly<Record<string, Language>> = {
  "openai-chat": {
    path: "/chat/completions",
    least: { messages: hello },
    usage: { stream_options: { include_usage: true } },
  },
  "openai-responses": { path: "/responses", least: { input: "hi" }, usage: {} },
  "anthropic-messages": {
    path: "/messages",
    least: { max_tokens: 1024, messages: hello },
    usage: {},
  },
};

/** Ids of the dialects applications speak. */
export const callerDialects: readonly string[] = Object.keys(languages);

/** Path of a dialect's chat operation below the short base. */
export function chatPath(dialect: string): string {
  return languages[dialect]!.path;
}

/** The smallest request of a dialect. */
export function leastRequest(dialect: string, { model, stream }: Asked): CallerRequest {
  const { path, least, usage } = languages[dialect]!;
  return {
    path,
    body: { model, ...least, ...(stream ? { stream, ...usage } : {}) },
    minimal: true,
  };
}

/** A call in a caller's words; the smallest request where the dialect cannot say it. */
export function asRequest(
  call: Call | undefined,
  dialect: CallerDialect,
  asked: Asked,
  family: string,
): CallerRequest {
  const { model, stream } = asked;
  const least = leastRequest(dialect.id, asked);
  if (!call) return least;
  try {
    const { value } = dialect.encodeRequest({ ...call, model, stream }, { model, family });
    const body = {
      ...value,
      model,
      ...(stream ? { stream, ...languages[dialect.id]!.usage } : {}),
    };
    dialect.inbound.validate(body, "chat");
    return { path: least.path, body, minimal: false };
  } catch {
    return least;
  }
}

/** A request for vectors, as an application sends it. */
export function embeddingsRequest(call: Call | undefined, { model }: Asked): CallerRequest {
  const { input = ["hi"], dimensions } = call?.embeddings ?? {};
  return {
    path: "/embeddings",
    body: { model, input, ...(dimensions === undefined ? {} : { dimensions }) },
    minimal: call === undefined,
  };
}

/** Reads an answer as the application's own library would: by its dialect alone. */
export function readAnswer(dialect: Dialect, text: string, stream: boolean): readonly Part[] {
  if (!stream) {
    const { vmx: _, ...body } = JSON.parse(text) as JsonObject;
    return dialect.decodeResponse(body, "chat").value;
  }
  const reader = createSseReader();
  const decoder = dialect.streamDecoder();
  const parts: StreamPart[] = [];
  for (const frame of [...reader.push(Buffer.from(text)), ...reader.end()]) {
    parts.push(...decoder.push(frame));
  }
  parts.push(...decoder.end());
  return assembleParts(parts);
}
