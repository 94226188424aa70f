import Type from "typebox";
import { MediaSource, Native } from "./content.ts";
import { closed, nullable } from "./field.ts";
import { JsonMembers, JsonValue } from "./json.ts";

const index = Type.Integer({ minimum: 0 });
const native = Type.Optional(Native);
const count = nullable(Type.Integer({ minimum: 0 }));

/** Token counts in disjoint classes; null means the provider did not report the class. */
export const Tokens = Type.Object({
  inputUncached: count,
  inputCacheRead: count,
  inputCacheWrite5m: count,
  inputCacheWrite1h: count,
  output: count,
  reasoning: count,
  audioInput: count,
  audioOutput: count,
  acceptedPrediction: Type.Optional(count),
  rejectedPrediction: Type.Optional(count),
  webSearchRequests: Type.Optional(count),
  codeExecutionRequests: Type.Optional(count),
  promptTotal: Type.Optional(count),
  completionTotal: Type.Optional(count),
}, {
  ...closed,
  title: "Tokens",
  description: "Token counts in disjoint classes; null: not reported, which is not zero",
});
/** See the schema of the same name. */
export type Tokens = Type.Static<typeof Tokens>;

const StartPart = Type.Object({
  type: Type.Literal("start"),
  id: Type.Optional(Type.String()),
  model: Type.Optional(Type.String({ description: "As the provider reports it" })),
  created: Type.Optional(Type.Number({ description: "Unix seconds" })),
  serviceTier: Type.Optional(Type.String()),
  systemFingerprint: Type.Optional(Type.String()),
  extras: Type.Optional(JsonMembers),
  native,
}, { ...closed, description: "The answer begins" });

const base = { choice: index, native };

const TextBlock = Type.Object({
  type: Type.Literal("text"),
  text: Type.String(),
  logprobs: Type.Optional(JsonValue),
  ...base,
}, closed);

const ReasoningBlock = Type.Object({
  type: Type.Literal("reasoning"),
  text: Type.String(),
  signature: Type.Optional(Type.String({ description: "Opaque" })),
  encrypted: Type.Optional(Type.String({ description: "Opaque" })),
  ...base,
}, closed);

const ToolCallBlock = Type.Object({
  type: Type.Literal("tool-call"),
  id: Type.String(),
  name: Type.String(),
  arguments: Type.String({ description: "JSON text exactly as the model wrote it" }),
  server: Type.Optional(Type.Boolean({ description: "The provider runs the tool by itself" })),
  ...base,
}, closed);

const SourceBlock = Type.Object({
  type: Type.Literal("source"),
  url: Type.Optional(Type.String()),
  title: Type.Optional(Type.String()),
  citedText: Type.Optional(Type.String()),
  start: Type.Optional(Type.Number({ description: "Character of the preceding text block" })),
  end: Type.Optional(Type.Number()),
  ...base,
}, { ...closed, description: "A source the answer cites" });

const FileBlock = Type.Object({
  type: Type.Literal("file"),
  source: MediaSource,
  ...base,
}, closed);

const RefusalBlock = Type.Object({
  type: Type.Literal("refusal"),
  text: Type.String(),
  ...base,
}, closed);

const NativeBlock = Type.Object({
  type: Type.Literal("native"),
  kind: Type.String(),
  choice: index,
  native: Native,
}, { ...closed, description: "Content only its own dialect family understands" });

const blocks = [
  TextBlock,
  ReasoningBlock,
  ToolCallBlock,
  SourceBlock,
  FileBlock,
  RefusalBlock,
  NativeBlock,
] as const;

const UsagePart = Type.Object({
  type: Type.Literal("usage"),
  tokens: Tokens,
  serviceTier: Type.Optional(Type.String({ description: "The tier that is charged" })),
  native,
}, { ...closed, description: "What the provider charges for" });

const FinishPart = Type.Object({
  type: Type.Literal("finish"),
  choice: index,
  reason: Type.Enum([
    "end",
    "stop-sequence",
    "length",
    "context-exceeded",
    "tool-use",
    "content-filter",
    "refusal",
    "pause",
    "malformed-tool",
    "malformed-output",
  ]),
  raw: Type.Optional(Type.String({ description: "The reason as the provider spelled it" })),
  stopSequence: Type.Optional(Type.String()),
  extras: Type.Optional(JsonMembers),
  native,
}, { ...closed, description: "One choice has ended" });

const ErrorPart = Type.Object({
  type: Type.Literal("error"),
  status: Type.Optional(Type.Number()),
  code: Type.Optional(Type.String()),
  message: Type.String(),
  native,
}, { ...closed, description: "The answer failed after it had begun" });

const EmbeddingPart = Type.Object({
  type: Type.Literal("embedding"),
  index,
  vector: Type.Array(Type.Number()),
}, { ...closed, description: "One vector of an embeddings answer" });

const BlockStart = Type.Object({
  type: Type.Literal("block-start"),
  index,
  block: Type.Union([...blocks]),
}, { ...closed, description: "A block opens; `index` names it until its end" });

const BlockDelta = Type.Object({
  type: Type.Literal("block-delta"),
  index,
  text: Type.Optional(Type.String({ description: "Appended to `text` or `arguments`" })),
  signature: Type.Optional(Type.String()),
  encrypted: Type.Optional(Type.String()),
  logprobs: Type.Optional(JsonValue),
  native,
}, { ...closed, description: "A block grows" });

const BlockEnd = Type.Object({
  type: Type.Literal("block-end"),
  index,
}, { ...closed, description: "A block is complete" });

/** A piece of the canonical answer: start, blocks in order, usage, finish. */
export const Part = Type.Union(
  [StartPart, ...blocks, UsagePart, FinishPart, ErrorPart, EmbeddingPart],
  { title: "Part", description: "A piece of an answer: start, blocks in order, usage, finish" },
);
/** See the schema of the same name. */
export type Part = Type.Static<typeof Part>;

/** A piece of the canonical answer as it is streamed. */
export const StreamPart = Type.Union(
  [StartPart, BlockStart, BlockDelta, BlockEnd, UsagePart, FinishPart, ErrorPart],
  {
    title: "StreamPart",
    description: "A piece of a streamed answer; blocks are opened, grow and are closed",
  },
);
/** See the schema of the same name. */
export type StreamPart = Type.Static<typeof StreamPart>;
