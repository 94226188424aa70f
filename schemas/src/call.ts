import Type from "typebox";
import { CacheMark, ContentPart, Native } from "./content.ts";
import { closed } from "./field.ts";
import { JsonMembers, JsonValue } from "./json.ts";

const SystemText = Type.Object({
  text: Type.String(),
  late: Type.Optional(Type.Boolean({ description: "It stood after the first user turn" })),
  turnsBefore: Type.Optional(Type.Integer({ minimum: 0 })),
  role: Type.Optional(Type.Enum(["system", "developer"])),
  path: Type.Optional(Type.String({ description: "JSON pointer into the caller's body" })),
  cache: Type.Optional(CacheMark),
  native: Type.Optional(Native),
}, { ...closed, description: "One system or developer text" });

const Turn = Type.Object({
  role: Type.Enum(["user", "assistant", "tool"]),
  name: Type.Optional(Type.String({ description: "The participant's name" })),
  path: Type.Optional(Type.String({ description: "JSON pointer into the caller's body" })),
  parts: Type.Array(ContentPart),
  native: Type.Optional(Native),
}, { ...closed, description: "One turn; tool results form turns of role `tool`" });

const Tool = Type.Union([
  Type.Object({
    type: Type.Literal("function"),
    name: Type.String(),
    description: Type.Optional(Type.String()),
    parameters: Type.Optional(JsonMembers),
    strict: Type.Optional(Type.Boolean()),
    path: Type.Optional(Type.String({ description: "JSON pointer to its members" })),
    parametersPath: Type.Optional(Type.String({ description: "JSON pointer to its schema" })),
    cache: Type.Optional(CacheMark),
    native: Type.Optional(Native),
  }, closed),
  Type.Object({
    type: Type.Literal("web-search"),
    settings: JsonMembers,
    path: Type.Optional(Type.String({ description: "JSON pointer into the caller's body" })),
    paths: Type.Optional(Type.Record(Type.String(), Type.String(), {
      description: "JSON pointers to each of the settings",
    })),
    native: Native,
  }, closed),
  Type.Object({
    type: Type.Literal("native"),
    kind: Type.String(),
    path: Type.Optional(Type.String({ description: "JSON pointer into the caller's body" })),
    native: Native,
  }, closed),
], { description: "A tool the model may call, or one the provider runs by itself" });

const ToolChoice = Type.Union([
  Type.Object({ type: Type.Enum(["auto", "none", "required"]) }, closed),
  Type.Object({ type: Type.Literal("tool"), name: Type.String() }, closed),
  Type.Object({
    type: Type.Literal("allowed"),
    mode: Type.Enum(["auto", "required"]),
    names: Type.Array(Type.String()),
  }, closed),
], { description: "Which tools the model must, may or must not call" });

const OutputFormat = Type.Union([
  Type.Object({ type: Type.Literal("text") }, closed),
  Type.Object({ type: Type.Literal("json") }, closed),
  Type.Object({
    type: Type.Literal("json-schema"),
    name: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    schema: JsonMembers,
    strict: Type.Optional(Type.Boolean()),
  }, closed),
], { description: "The form the answer must have" });

const Sampling = Type.Object({
  temperature: Type.Optional(Type.Number()),
  topP: Type.Optional(Type.Number()),
  topK: Type.Optional(Type.Number()),
  frequencyPenalty: Type.Optional(Type.Number()),
  presencePenalty: Type.Optional(Type.Number()),
  seed: Type.Optional(Type.Number()),
  logitBias: Type.Optional(JsonMembers),
  logprobs: Type.Optional(Type.Boolean()),
  topLogprobs: Type.Optional(Type.Number()),
  n: Type.Optional(Type.Number({ description: "Number of answers wanted" })),
  stop: Type.Optional(Type.Array(Type.String())),
}, { ...closed, description: "Absent members mean the provider's default" });

const ReasoningSettings = Type.Object({
  effort: Type.Optional(Type.Enum(["none", "minimal", "low", "medium", "high", "xhigh"])),
  budgetTokens: Type.Optional(Type.Number()),
  summary: Type.Optional(Type.String({ description: "How reasoning is summarised" })),
}, { ...closed, description: "How much the model may reason before it answers" });

const EmbeddingsInput = Type.Object({
  input: Type.Array(Type.Union([Type.String(), Type.Array(Type.Number())]), {
    description: "Texts or token arrays, in order",
  }),
  dimensions: Type.Optional(Type.Number()),
  encodingFormat: Type.Optional(Type.Enum(["float", "base64"])),
}, { ...closed, description: "Input of an embeddings call" });

const pointer = Type.Optional(Type.String());

const SettingPaths = Type.Object({
  temperature: pointer,
  topP: pointer,
  topK: pointer,
  frequencyPenalty: pointer,
  presencePenalty: pointer,
  seed: pointer,
  logitBias: pointer,
  logprobs: pointer,
  topLogprobs: pointer,
  n: pointer,
  stop: pointer,
  maxOutputTokens: pointer,
  reasoning: pointer,
  reasoningSummary: pointer,
  output: pointer,
  outputSchema: pointer,
  tools: pointer,
  toolChoice: pointer,
  parallelToolCalls: pointer,
  user: pointer,
  serviceTier: pointer,
  metadata: pointer,
}, { ...closed, description: "JSON pointers to the members settings were read from" });

/** The canonical middle of every translation: one model call, in no vendor's words. */
export const Call = Type.Object({
  operation: Type.Enum(["chat", "embeddings", "count-tokens", "models"]),
  dialect: Type.Optional(Type.String({ description: "The dialect it was decoded from" })),
  model: Type.String(),
  stream: Type.Boolean(),
  system: Type.Array(SystemText),
  turns: Type.Array(Turn),
  tools: Type.Array(Tool),
  toolChoice: Type.Optional(ToolChoice),
  parallelToolCalls: Type.Optional(Type.Boolean({
    description: "False forbids more than one tool call per answer",
  })),
  output: Type.Optional(OutputFormat),
  sampling: Sampling,
  maxOutputTokens: Type.Optional(Type.Number({ description: "Reasoning included" })),
  reasoning: Type.Optional(ReasoningSettings),
  user: Type.Optional(Type.String({ description: "The end user the call is made for" })),
  serviceTier: Type.Optional(Type.String()),
  metadata: Type.Optional(JsonMembers),
  embeddings: Type.Optional(EmbeddingsInput),
  paths: Type.Optional(SettingPaths),
  extras: Type.Record(Type.String(), JsonValue, {
    description: "Members of the original body without a counterpart here, verbatim",
  }),
  native: Type.Optional(Native),
}, { ...closed, title: "Call", description: "One model call, in no vendor's words" });
/** See the schema of the same name. */
export type Call = Type.Static<typeof Call>;
