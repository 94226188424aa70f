import type { Json, JsonObject } from "./json.ts";

/** What a caller can ask a provider to do. */
export type Operation = "chat" | "embeddings" | "count-tokens" | "models";

/**
 * The canonical middle of every translation: one model call, in no vendor's words.
 * A dialect decodes its request body into a Call; another encodes the Call into its own body.
 */
export interface Call {
  readonly operation: Operation;
  /** The dialect the call was decoded from; `extras` are meant for legs that speak it. */
  readonly dialect?: string;
  readonly model: string;
  readonly stream: boolean;
  /** System and developer texts, in order. */
  readonly system: readonly SystemText[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  /** False forbids more than one tool call per answer. */
  readonly parallelToolCalls?: boolean;
  readonly output?: OutputFormat;
  readonly sampling: Sampling;
  /** Upper bound of generated tokens, reasoning included. */
  readonly maxOutputTokens?: number;
  readonly reasoning?: ReasoningSettings;
  /** The end user on whose behalf the call is made. */
  readonly user?: string;
  readonly serviceTier?: string;
  /** The caller's own key-value metadata for the provider (not the gateway's `vmx.metadata`). */
  readonly metadata?: JsonObject;
  /** Input of an embeddings call. */
  readonly embeddings?: EmbeddingsInput;
  /** Where the settings above stand in the caller's body; warnings about them lead there. */
  readonly paths?: SettingPaths;
  /** Members of the original body without a counterpart here, verbatim, for legs of the same dialect family. */
  readonly extras: Readonly<Record<string, Json>>;
  /** The original settings, for legs that speak the same dialect and for answers that repeat them. */
  readonly native?: Native;
}

/** JSON pointers into the caller's body, each to the member a setting was read from. */
export interface SettingPaths {
  readonly temperature?: string;
  readonly topP?: string;
  readonly topK?: string;
  readonly frequencyPenalty?: string;
  readonly presencePenalty?: string;
  readonly seed?: string;
  readonly logitBias?: string;
  readonly logprobs?: string;
  readonly topLogprobs?: string;
  readonly n?: string;
  readonly stop?: string;
  readonly maxOutputTokens?: string;
  readonly reasoning?: string;
  readonly reasoningSummary?: string;
  readonly output?: string;
  readonly outputSchema?: string;
  readonly tools?: string;
  readonly toolChoice?: string;
  readonly parallelToolCalls?: string;
  readonly user?: string;
  readonly serviceTier?: string;
  readonly metadata?: string;
}

/** One system or developer text. */
export interface SystemText {
  readonly text: string;
  /** True when it stood after the first user turn. */
  readonly late?: boolean;
  /** How many turns stood before it; 0 when absent. Dialects that take texts anywhere put it back there. */
  readonly turnsBefore?: number;
  readonly role?: "system" | "developer";
  /** Where it stands in the caller's body, as a JSON pointer; warnings about it lead there. */
  readonly path?: string;
  readonly cache?: CacheMark;
  readonly native?: Native;
}

/** One turn of the conversation. Tool results form turns of role `tool`. */
export interface Turn {
  readonly role: "user" | "assistant" | "tool";
  /** The participant's name, where the dialect has one. */
  readonly name?: string;
  /** Where it begins in the caller's body, as a JSON pointer; warnings about it lead there. */
  readonly path?: string;
  readonly parts: readonly ContentPart[];
  readonly native?: Native;
}

/** A piece of a turn, in the order the caller gave. */
export type ContentPart =
  | TextContent
  | ImageContent
  | FileContent
  | AudioContent
  | ReasoningContent
  | ToolCallContent
  | ToolResultContent
  | RefusalContent
  | NativeContent;

/** The original spelling of a part, for legs that speak the same dialect. */
export interface Native {
  readonly dialect: string;
  readonly value: Json;
}

/** A mark up to which the provider may cache the prompt. */
export interface CacheMark {
  /** Lifetime as the caller named it, such as `5m` or `1h`. */
  readonly ttl?: string;
}

interface Piece {
  /** Where it stands in the caller's body, as a JSON pointer; warnings about it lead there. */
  readonly path?: string;
  readonly cache?: CacheMark;
  readonly native?: Native;
}

/** Plain text. */
export interface TextContent extends Piece {
  readonly type: "text";
  readonly text: string;
}

/** Where bytes come from: a URL, base64 text, plain text, or an id the provider gave to an uploaded file. */
export type MediaSource =
  | { readonly kind: "url"; readonly url: string; readonly mediaType?: string }
  | { readonly kind: "base64"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "text"; readonly mediaType: string; readonly text: string }
  | { readonly kind: "id"; readonly id: string };

/** An image. */
export interface ImageContent extends Piece {
  readonly type: "image";
  readonly source: MediaSource;
  readonly detail?: string;
}

/** A document. */
export interface FileContent extends Piece {
  readonly type: "file";
  readonly source: MediaSource;
  readonly name?: string;
  /** What the caller tells the model about it, beside its content. */
  readonly context?: string;
  /** True when answers are to cite it. */
  readonly citations?: boolean;
}

/** Audio input; `format` as the caller named it, such as `wav`. */
export interface AudioContent extends Piece {
  readonly type: "audio";
  readonly source: MediaSource;
  readonly format: string;
}

/** Reasoning given back to the model. Signatures and encrypted content are opaque. */
export interface ReasoningContent extends Piece {
  readonly type: "reasoning";
  readonly text: string;
  readonly signature?: string;
  readonly encrypted?: string;
  /** The provider family that made the signature; no other may see it. */
  readonly family?: string;
}

/** A tool call the model made earlier. */
export interface ToolCallContent extends Piece {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  /** Arguments; text that is not a JSON object arrives as `{"_raw": text}`. */
  readonly input: JsonObject;
  /** The argument text as the caller spelled it. */
  readonly inputText?: string;
}

/** The result of a tool call. */
export interface ToolResultContent extends Piece {
  readonly type: "tool-result";
  readonly callId: string;
  readonly name?: string;
  readonly content: readonly (TextContent | ImageContent | FileContent | NativeContent)[];
  readonly isError?: boolean;
}

/** A refusal the model gave earlier. */
export interface RefusalContent extends Piece {
  readonly type: "refusal";
  readonly text: string;
}

/** A part only its own dialect family understands. */
export interface NativeContent extends Piece {
  readonly type: "native";
  /** What it is, for warnings, such as `computer_call`. */
  readonly kind: string;
  readonly native: Native;
}

/** A tool the model may call, or a tool the provider runs by itself. */
export type Tool =
  | {
    readonly type: "function";
    readonly name: string;
    readonly description?: string;
    /** JSON Schema of the arguments; undefined means none were declared. */
    readonly parameters?: JsonObject;
    readonly strict?: boolean;
    /** Where its members stand in the caller's body, as a JSON pointer. */
    readonly path?: string;
    /** Where the schema of its arguments stands there. */
    readonly parametersPath?: string;
    readonly cache?: CacheMark;
    readonly native?: Native;
  }
  | {
    readonly type: "web-search";
    readonly settings: JsonObject;
    /** Where it stands in the caller's body, as a JSON pointer. */
    readonly path?: string;
    /** Where each of `settings` stands there. */
    readonly paths?: Readonly<Record<string, string>>;
    readonly native: Native;
  }
  | {
    readonly type: "native";
    readonly kind: string;
    /** Where it stands in the caller's body, as a JSON pointer. */
    readonly path?: string;
    readonly native: Native;
  };

/** Which tools the model must, may or must not call. */
export type ToolChoice =
  | { readonly type: "auto" | "none" | "required" }
  | { readonly type: "tool"; readonly name: string }
  | {
    readonly type: "allowed";
    readonly mode: "auto" | "required";
    readonly names: readonly string[];
  };

/** The form the answer must have. */
export type OutputFormat =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | {
    readonly type: "json-schema";
    readonly name?: string;
    readonly description?: string;
    readonly schema: JsonObject;
    readonly strict?: boolean;
  };

/** Sampling settings; absent means the provider's default. */
export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly logitBias?: JsonObject;
  readonly logprobs?: boolean;
  readonly topLogprobs?: number;
  /** Number of answers wanted. */
  readonly n?: number;
  readonly stop?: readonly string[];
}

/** How much the model may reason before it answers. */
export interface ReasoningSettings {
  readonly effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
  readonly budgetTokens?: number;
  /** Whether and how reasoning is summarised for the caller. */
  readonly summary?: string;
}

/** Input of an embeddings call. */
export interface EmbeddingsInput {
  /** Texts or token arrays, in order. */
  readonly input: readonly (string | readonly number[])[];
  readonly dimensions?: number;
  readonly encodingFormat?: "float" | "base64";
}
