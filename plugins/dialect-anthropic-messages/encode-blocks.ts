import type {
  ContentPart,
  FileContent,
  ImageContent,
  Json,
  JsonObject,
  MediaSource,
  ReasoningContent,
  ToolResultContent,
} from "@vmx/core/contract";
import { spellName, stripSignature } from "@vmx/core/kit";
import {
  type EncodeContext,
  nameAlphabet,
  refuseContent,
  refuseState,
  writeCache,
} from "./encode-context.ts";
import { compact, ownNative } from "./read-json.ts";

const imageTypes = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/**
 * Writes one part as a block; undefined for a part that is left out: blank text, which the API refuses, and
 * reasoning that may not go here.
 *
 * Throws `unsupported_content` or `state_not_portable` naming what the dialect cannot express.
 */
export function encodeBlock(
  part: ContentPart,
  path: string,
  context: EncodeContext,
): JsonObject | undefined {
  const own = ownNative(part);
  const mark = own?.["cache_control"] === undefined ? writeCache(part.cache) : own["cache_control"];
  const write = (written: JsonObject): JsonObject =>
    compact({ ...own, ...written, cache_control: mark });
  switch (part.type) {
    case "text":
      // A search result was read as text.
      if (own && own["type"] !== "text") return compact(own);
      return isBlank(part.text) ? undefined : write({ type: "text", text: part.text });
    case "refusal":
      return isBlank(part.text) ? undefined : write({ type: "text", text: part.text });
    case "image":
      return own ? compact(own) : write(encodeImage(part, path, context));
    case "file":
      return own ? compact(own) : write(encodeFile(part, path));
    case "reasoning":
      return encodeReasoning(part, path, context);
    case "tool-call":
      return write({
        type: "tool_use",
        id: writeId(part.id),
        name: context.names.toWire(part.name),
        input: part.input,
      });
    case "tool-result":
      return write({
        type: "tool_result",
        tool_use_id: writeId(part.callId),
        content: encodeResult(part, own, path, context),
        is_error: part.isError,
      });
    case "native":
      return own ? compact(own) : refuseContent(`content of the kind "${part.kind}"`, path);
    case "audio":
      return refuseContent("audio", path);
  }
}

/** Whether the API takes a text for empty. */
export function isBlank(text: string): boolean {
  return text.trim() === "";
}

/** Call ids have an alphabet too; what other dialects pack into them stays behind. */
function writeId(id: string): string {
  return spellName(stripSignature(id), nameAlphabet);
}

function encodeResult(
  part: ToolResultContent,
  own: JsonObject | undefined,
  path: string,
  context: EncodeContext,
): Json | undefined {
  const [first] = part.content;
  if (!first) return own?.["content"];
  const plain = part.content.length === 1 && first.type === "text" && !first.native && !first.cache;
  if (plain) return first.text;
  const blocks = part.content.map((each) => encodeBlock(each, each.path ?? path, context));
  return blocks.filter((block) => block !== undefined);
}

function encodeImage(
  { detail, source }: ImageContent,
  path: string,
  context: EncodeContext,
): JsonObject {
  if (detail !== undefined && detail !== "auto") {
    context.warn({ code: "image_detail_dropped", path, action: "dropped", detail });
  }
  switch (source.kind) {
    case "url":
      return { type: "image", source: { type: "url", url: source.url } };
    case "base64":
      if (!imageTypes.has(source.mediaType)) {
        return refuseContent(`an image of type "${source.mediaType}"`, path);
      }
      return { type: "image", source: writeBytes(source) };
    case "id":
      return refuseState("an image by its id", path);
    case "text":
      return refuseContent("an image that is text", path);
  }
}

function encodeFile({ source, name }: FileContent, path: string): JsonObject {
  const document = (from: JsonObject): JsonObject =>
    compact({ type: "document", source: from, title: name });
  switch (source.kind) {
    case "url":
      return document({ type: "url", url: source.url });
    case "text":
      return document({ type: "text", media_type: "text/plain", data: source.text });
    case "id":
      return refuseState("a file by its id", path);
    case "base64": {
      const { mediaType, data } = source;
      if (mediaType === "application/pdf") return document(writeBytes(source));
      if (imageTypes.has(mediaType)) return { type: "image", source: writeBytes(source) };
      if (!isTextual(mediaType)) return refuseContent(`a file of type "${mediaType}"`, path);
      const text = Buffer.from(data, "base64").toString("utf8");
      return document({ type: "text", media_type: "text/plain", data: text });
    }
  }
}

function writeBytes(source: Extract<MediaSource, { kind: "base64" }>): JsonObject {
  return { type: "base64", media_type: source.mediaType, data: source.data };
}

function isTextual(mediaType: string): boolean {
  return /^text\/|^application\/(json|xml|yaml|x-yaml|javascript|x-ndjson|toml|sql)\b|\+(json|xml)$/
    .test(mediaType);
}

/** Only the family that signed reasoning may see it again; without a signature it is refused by all. */
function encodeReasoning(
  part: ReasoningContent,
  path: string,
  context: EncodeContext,
): JsonObject | undefined {
  const { text, signature, encrypted, family } = part;
  if (family === context.family && (signature !== undefined || encrypted !== undefined)) {
    const own = ownNative(part);
    return signature === undefined
      ? compact({ ...own, type: "redacted_thinking", data: encrypted })
      : compact({ ...own, type: "thinking", thinking: text, signature });
  }
  context.warn({
    code: "reasoning_dropped",
    path,
    action: "dropped",
    detail: family === undefined
      ? "Reasoning without a signature cannot be given back"
      : "The signature belongs to another provider",
  });
  return undefined;
}
