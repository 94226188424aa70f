import type { Json, JsonObject } from "./json.ts";
import type { MediaSource, Native } from "./call.ts";

/**
 * The canonical answer is a list of Parts: `start`, blocks in order, `usage`, `finish`.
 * Several choices of one answer are told apart by `choice`, counted from 0.
 */
export type Part = StartPart | Block | UsagePart | FinishPart | ErrorPart | EmbeddingPart;

/**
 * A streamed answer is a list of StreamParts that assemble to the same Parts (`assembleParts` in the kit):
 * a block is opened, grows by deltas and is closed; all other parts arrive whole.
 */
export type StreamPart =
  | StartPart
  | BlockStart
  | BlockDelta
  | BlockEnd
  | UsagePart
  | FinishPart
  | ErrorPart;

/** The answer begins. */
export interface StartPart {
  readonly type: "start";
  readonly id?: string;
  /** The model as the provider reports it. */
  readonly model?: string;
  /** Unix seconds. */
  readonly created?: number;
  readonly serviceTier?: string;
  readonly systemFingerprint?: string;
  /** Members of the answer without a counterpart, verbatim. */
  readonly extras?: JsonObject;
  readonly native?: Native;
}

/** A piece of the answer's content. */
export type Block =
  | TextBlock
  | ReasoningBlock
  | ToolCallBlock
  | SourceBlock
  | FileBlock
  | RefusalBlock
  | NativeBlock;

interface BlockBase {
  /** Which of several answers the block belongs to; 0 for the first. */
  readonly choice: number;
  readonly native?: Native;
}

/** Visible text. */
export interface TextBlock extends BlockBase {
  readonly type: "text";
  readonly text: string;
  /** Token log probabilities, verbatim. */
  readonly logprobs?: Json;
}

/** Reasoning text or summary; signature and encrypted content are opaque. */
export interface ReasoningBlock extends BlockBase {
  readonly type: "reasoning";
  readonly text: string;
  readonly signature?: string;
  readonly encrypted?: string;
}

/** A tool call; `arguments` is JSON text exactly as the model wrote it. */
export interface ToolCallBlock extends BlockBase {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** True when the provider runs the tool by itself. */
  readonly server?: boolean;
}

/** A source the answer cites. */
export interface SourceBlock extends BlockBase {
  readonly type: "source";
  readonly url?: string;
  readonly title?: string;
  readonly citedText?: string;
  /** Character offsets in the preceding text block. */
  readonly start?: number;
  readonly end?: number;
}

/** A file or media the model made. */
export interface FileBlock extends BlockBase {
  readonly type: "file";
  readonly source: MediaSource;
}

/** The model declines. */
export interface RefusalBlock extends BlockBase {
  readonly type: "refusal";
  readonly text: string;
}

/** Content only its own dialect family understands. */
export interface NativeBlock extends BlockBase {
  readonly type: "native";
  readonly kind: string;
  readonly native: Native;
}

/** A block opens; `block` holds what is known at once, its texts mostly empty. `index` names it until its end. */
export interface BlockStart {
  readonly type: "block-start";
  readonly index: number;
  readonly block: Block;
}

/** A block grows: text is appended to `text` or `arguments`, everything else replaces what was known. */
export interface BlockDelta {
  readonly type: "block-delta";
  readonly index: number;
  readonly text?: string;
  readonly signature?: string;
  readonly encrypted?: string;
  /** Items appended to the block's log probabilities. */
  readonly logprobs?: Json;
  readonly native?: Native;
}

/** A block is complete. */
export interface BlockEnd {
  readonly type: "block-end";
  readonly index: number;
}

/** Why the answer ended, in canonical words. */
export type FinishReason =
  | "end"
  | "stop-sequence"
  | "length"
  | "context-exceeded"
  | "tool-use"
  | "content-filter"
  | "refusal"
  | "pause"
  | "malformed-tool"
  | "malformed-output";

/** One choice has ended. */
export interface FinishPart {
  readonly type: "finish";
  readonly choice: number;
  readonly reason: FinishReason;
  /** The reason as the provider spelled it. */
  readonly raw?: string;
  readonly stopSequence?: string;
  /** Members the provider told with the choice or at the answer's end that have no counterpart, verbatim. */
  readonly extras?: JsonObject;
  readonly native?: Native;
}

/** What the provider charges for. */
export interface UsagePart {
  readonly type: "usage";
  readonly tokens: Tokens;
  /** The service tier that is charged, where the provider names it only at the end. */
  readonly serviceTier?: string;
  readonly native?: Native;
}

/** The answer failed after it had begun. */
export interface ErrorPart {
  readonly type: "error";
  readonly status?: number;
  readonly code?: string;
  readonly message: string;
  readonly native?: Native;
}

/** One vector of an embeddings answer. */
export interface EmbeddingPart {
  readonly type: "embedding";
  readonly index: number;
  readonly vector: readonly number[];
}

/**
 * Token counts in disjoint classes. Null means the provider did not report the class; zero is a value.
 * Prompt tokens are the sum of the input classes and `audioInput`; completion tokens are output + reasoning + audioOutput.
 */
export interface Tokens {
  readonly inputUncached: number | null;
  readonly inputCacheRead: number | null;
  readonly inputCacheWrite5m: number | null;
  readonly inputCacheWrite1h: number | null;
  /** Visible text and tool calls. */
  readonly output: number | null;
  readonly reasoning: number | null;
  readonly audioInput: number | null;
  readonly audioOutput: number | null;
  readonly acceptedPrediction?: number | null;
  readonly rejectedPrediction?: number | null;
  readonly webSearchRequests?: number | null;
  readonly codeExecutionRequests?: number | null;
  /** The provider's own totals, kept because the classes must add up to them. */
  readonly promptTotal?: number | null;
  readonly completionTotal?: number | null;
}
