/** What somebody wants to try. */
export interface Attempt {
  readonly dialect: Dialect;
  /** Name of a resource, or `<connection>/<model>`. */
  readonly model: string;
  readonly system: string;
  readonly prompt: string;
  /** Data URLs of pictures. */
  readonly images: readonly string[];
  readonly stream: boolean;
  readonly maxTokens: number | null | undefined;
  readonly temperature: number | null | undefined;
  /** How much a model thinks first; undefined leaves it to the model. */
  readonly effort: Effort | undefined;
  /** Whether the provider may search the web for its answer. */
  readonly webSearch: boolean;
  /** Further members of the body, which win. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The `vmx` object, such as `correlationId` and `metadata`. */
  readonly envelope: Readonly<Record<string, unknown>>;
}

/** How much a model thinks before it answers. */
export type Effort = "low" | "medium" | "high";

/** Tokens of thinking for languages that count them. */
const thinkingTokens: Readonly<Record<Effort, number>> = {
  low: 1_024,
  medium: 4_096,
  high: 16_384,
};
/** Tokens an answer has beside its thinking when nobody names a number. */
const answerTokens = 1_024;

/** A language the gateway answers in. */
export type Dialect = "chat" | "responses" | "messages";

const dialectsByName: Readonly<Record<string, Dialect>> = {
  "openai-chat": "chat",
  "openai-responses": "responses",
  "anthropic-messages": "messages",
};

/** The language of a sample, by the name the gateway has for it. */
export function dialectOf(name: string): Dialect {
  return dialectsByName[name] ?? "chat";
}

/**
 * A request with nothing special to it.
 *
 * @param overrides settings of the resource for this request alone
 */
export function plainAttempt(
  model: string,
  overrides: Readonly<Record<string, unknown>> | undefined,
): Attempt {
  return {
    dialect: "chat",
    model,
    system: "",
    prompt: "",
    images: [],
    stream: true,
    maxTokens: null,
    temperature: null,
    effort: undefined,
    webSearch: false,
    extra: {},
    envelope: overrides ? { resourceConfigOverrides: overrides } : {},
  };
}

/** Path of a dialect below the environment's base. */
export const dialectPaths: Readonly<Record<Dialect, string>> = {
  chat: "/chat/completions",
  responses: "/responses",
  messages: "/anthropic/messages",
};

/** The same for an API key, whose environment needs no name. */
export const shortPaths: Readonly<Record<Dialect, string>> = {
  chat: "/v1/chat/completions",
  responses: "/v1/responses",
  messages: "/v1/messages",
};

/** Names of the dialects for people. */
export const dialectLabels: Readonly<Record<Dialect, string>> = {
  chat: "Chat Completions",
  responses: "Responses",
  messages: "Messages",
};

/** Writes the request body an application would send. */
export function bodyOf(attempt: Attempt): Record<string, unknown> {
  const { model, stream, temperature, extra, envelope } = attempt;
  return {
    model,
    ...inDialect[attempt.dialect](attempt),
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(stream ? { stream: true } : {}),
    ...extra,
    vmx: { ...(stream ? { includeMetrics: true } : {}), ...envelope },
  };
}

const inDialect: Readonly<Record<Dialect, (attempt: Attempt) => Record<string, unknown>>> = {
  chat: ({ system, prompt, images, maxTokens, stream, effort, webSearch }) => ({
    messages: [
      ...(system ? [{ role: "system", content: system }] : []),
      {
        role: "user",
        content: images.length === 0 ? prompt : [
          { type: "text", text: prompt },
          ...images.map((url) => ({ type: "image_url", image_url: { url } })),
        ],
      },
    ],
    ...(typeof maxTokens === "number" ? { max_completion_tokens: maxTokens } : {}),
    ...(effort ? { reasoning_effort: effort } : {}),
    ...(webSearch ? { web_search_options: {} } : {}),
    ...(stream ? { stream_options: { include_usage: true } } : {}),
  }),
  responses: ({ system, prompt, images, maxTokens, effort, webSearch }) => ({
    ...(effort ? { reasoning: { effort } } : {}),
    ...(webSearch ? { tools: [{ type: "web_search" }] } : {}),
    ...(system ? { instructions: system } : {}),
    input: images.length === 0 ? prompt : [{
      role: "user",
      content: [
        { type: "input_text", text: prompt },
        ...images.map((url) => ({ type: "input_image", image_url: url })),
      ],
    }],
    ...(typeof maxTokens === "number" ? { max_output_tokens: maxTokens } : {}),
  }),
  messages: ({ system, prompt, images, maxTokens, effort, webSearch }) => ({
    max_tokens: maxTokens ?? answerTokens + (effort ? thinkingTokens[effort] : 0),
    ...(effort ? { thinking: { type: "enabled", budget_tokens: thinkingTokens[effort] } } : {}),
    ...(webSearch ? { tools: [{ type: "web_search_20250305", name: "web_search" }] } : {}),
    ...(system ? { system } : {}),
    messages: [{
      role: "user",
      content: images.length === 0 ? prompt : [
        ...images.map((url) => {
          const [, type = "image/png", data = ""] = /^data:([^;]+);base64,(.*)$/s.exec(url) ?? [];
          return { type: "image", source: { type: "base64", media_type: type, data } };
        }),
        { type: "text", text: prompt },
      ],
    }],
  }),
};
