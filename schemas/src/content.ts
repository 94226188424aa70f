import Type from "typebox";
import { closed } from "./field.ts";
import { JsonMembers, JsonValue } from "./json.ts";

/** The original spelling of a piece, for legs that speak the same dialect. */
export const Native = Type.Object({
  dialect: Type.String(),
  value: JsonValue,
}, { ...closed, description: "The original spelling, for legs that speak the same dialect" });

/** A mark up to which the provider may cache the prompt. */
export const CacheMark = Type.Object({
  ttl: Type.Optional(Type.String({ description: "Lifetime as the caller named it, such as `5m`" })),
}, { ...closed, description: "The provider may cache the prompt up to here" });

/** Where bytes come from. */
export const MediaSource = Type.Union([
  Type.Object({
    kind: Type.Literal("url"),
    url: Type.String(),
    mediaType: Type.Optional(Type.String()),
  }, closed),
  Type.Object({
    kind: Type.Literal("base64"),
    mediaType: Type.String(),
    data: Type.String(),
  }, closed),
  Type.Object({
    kind: Type.Literal("text"),
    mediaType: Type.String(),
    text: Type.String(),
  }, closed),
  Type.Object({
    kind: Type.Literal("id"),
    id: Type.String({ description: "Given by the provider to an uploaded file" }),
  }, closed),
], { description: "Where bytes come from" });

const piece = {
  path: Type.Optional(Type.String({ description: "JSON pointer into the caller's body" })),
  cache: Type.Optional(CacheMark),
  native: Type.Optional(Native),
};

const TextContent = Type.Object({
  type: Type.Literal("text"),
  text: Type.String(),
  ...piece,
}, closed);

const ImageContent = Type.Object({
  type: Type.Literal("image"),
  source: MediaSource,
  detail: Type.Optional(Type.String()),
  ...piece,
}, closed);

const FileContent = Type.Object({
  type: Type.Literal("file"),
  source: MediaSource,
  name: Type.Optional(Type.String()),
  context: Type.Optional(Type.String({ description: "What is told about it beside its content" })),
  citations: Type.Optional(Type.Boolean({ description: "Answers are to cite it" })),
  ...piece,
}, closed);

const AudioContent = Type.Object({
  type: Type.Literal("audio"),
  source: MediaSource,
  format: Type.String({ description: "As the caller named it, such as `wav`" }),
  ...piece,
}, closed);

const ReasoningContent = Type.Object({
  type: Type.Literal("reasoning"),
  text: Type.String(),
  signature: Type.Optional(Type.String({ description: "Opaque" })),
  encrypted: Type.Optional(Type.String({ description: "Opaque" })),
  family: Type.Optional(
    Type.String({ description: "The provider family that made the signature" }),
  ),
  ...piece,
}, closed);

const ToolCallContent = Type.Object({
  type: Type.Literal("tool-call"),
  id: Type.String(),
  name: Type.String(),
  input: JsonMembers,
  inputText: Type.Optional(
    Type.String({ description: "The arguments as the caller spelled them" }),
  ),
  ...piece,
}, closed);

const RefusalContent = Type.Object({
  type: Type.Literal("refusal"),
  text: Type.String(),
  ...piece,
}, closed);

const NativeContent = Type.Object({
  type: Type.Literal("native"),
  kind: Type.String({ description: "What it is, for warnings, such as `computer_call`" }),
  path: piece.path,
  cache: piece.cache,
  native: Native,
}, { ...closed, description: "A part only its own dialect family understands" });

const ToolResultContent = Type.Object({
  type: Type.Literal("tool-result"),
  callId: Type.String(),
  name: Type.Optional(Type.String()),
  content: Type.Array(Type.Union([TextContent, ImageContent, FileContent, NativeContent])),
  isError: Type.Optional(Type.Boolean()),
  ...piece,
}, closed);

/** A piece of a turn. */
export const ContentPart = Type.Union([
  TextContent,
  ImageContent,
  FileContent,
  AudioContent,
  ReasoningContent,
  ToolCallContent,
  ToolResultContent,
  RefusalContent,
  NativeContent,
], { description: "A piece of a turn" });
