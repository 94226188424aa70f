import type {
  CacheMark,
  ContentPart,
  Json,
  JsonObject,
  MediaSource,
  ReasoningContent,
  ToolResultContent,
} from "@vmx/core/contract";
import { isObject, unpackReasoning } from "@vmx/core/kit";
import {
  flagOf,
  listOf,
  native,
  objectOf,
  objectsOf,
  ownFamily,
  pointer,
  present,
  textOf,
} from "./read-json.ts";

/** Reads content in either form, which stands at `path`. A bare string has no native of its own. */
export function decodeContent(content: Json | undefined, path: string): ContentPart[] {
  if (typeof content === "string") return [{ type: "text", text: content, path }];
  return listOf(content).flatMap((block, at) =>
    isObject(block) ? decodeBlock(block, path + pointer(at)) : []
  );
}

/** Reads `cache_control`; undefined when there is none. */
export function readCache(block: JsonObject): CacheMark | undefined {
  const mark = objectOf(block["cache_control"]);
  if (!mark) return undefined;
  const ttl = textOf(mark["ttl"]);
  return ttl === undefined ? {} : { ttl };
}

/** The text of content as a reader would see it; blocks are joined by line breaks. */
export function contentText(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return objectsOf(content)
    .map((block) => textOf(block["text"]) ?? searchText(block))
    .filter((text) => text !== undefined)
    .join("\n");
}

function decodeBlock(block: JsonObject, path: string): ContentPart {
  const kept = present({ path, cache: readCache(block), native: native(block) });
  const type = textOf(block["type"]) ?? "unknown";
  switch (type) {
    case "text":
      return { type, text: textOf(block["text"]) ?? "", ...kept };
    case "image": {
      const source = readSource(objectOf(block["source"]));
      if (source) return { type, source, ...kept };
      break;
    }
    case "document": {
      const source = readSource(objectOf(block["source"]));
      if (!source) break;
      return {
        type: "file",
        source,
        ...present({
          name: textOf(block["title"]),
          context: textOf(block["context"]) || undefined,
          citations: objectOf(block["citations"])?.["enabled"] === true || undefined,
        }),
        ...kept,
      };
    }
    case "search_result": {
      const text = searchText(block);
      if (text !== undefined) return { type: "text", text, ...kept };
      break;
    }
    case "thinking":
    case "redacted_thinking":
      return { ...decodeThinking(block), ...kept };
    case "tool_use":
      return {
        type: "tool-call",
        id: textOf(block["id"]) ?? "",
        name: textOf(block["name"]) ?? "",
        input: objectOf(block["input"]) ?? {},
        ...kept,
      };
    case "tool_result":
      return {
        type: "tool-result",
        callId: textOf(block["tool_use_id"]) ?? "",
        content: decodeContent(block["content"], `${path}/content`).map(forResult),
        ...present({ isError: flagOf(block["is_error"]) }),
        ...kept,
      };
  }
  return { type: "native", kind: type, ...kept };
}

/** Reads thinking a caller gives back. A signature the gateway packed is another family's. */
function decodeThinking(block: JsonObject): ReasoningContent {
  const text = textOf(block["thinking"]) ?? "";
  const signature = textOf(block["signature"]);
  const encrypted = textOf(block["data"]);
  const opaque = signature || encrypted;
  if (!opaque) return { type: "reasoning", text };
  const foreign = unpackReasoning(opaque);
  return {
    type: "reasoning",
    text,
    ...(foreign ?? present({ signature, encrypted, family: ownFamily })),
  };
}

/** Where the bytes of an image or document come from; undefined for forms only this dialect has. */
function readSource(source: JsonObject | undefined): MediaSource | undefined {
  if (!source) return undefined;
  const mediaType = textOf(source["media_type"]);
  const data = textOf(source["data"]);
  switch (source["type"]) {
    case "base64":
      return mediaType === undefined || data === undefined
        ? undefined
        : { kind: "base64", mediaType, data };
    case "text":
      return data === undefined
        ? undefined
        : { kind: "text", mediaType: mediaType ?? "text/plain", text: data };
    case "url": {
      const url = textOf(source["url"]);
      return url === undefined ? undefined : { kind: "url", url };
    }
    case "file": {
      const id = textOf(source["file_id"]);
      return id === undefined ? undefined : { kind: "id", id };
    }
    case "content": {
      const { content } = source;
      const plain = typeof content === "string" ||
        listOf(content).every((each) => isObject(each) && each["type"] === "text");
      return plain
        ? { kind: "text", mediaType: "text/plain", text: contentText(content) }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** A search result as plain text; undefined for any other block. */
function searchText(block: JsonObject): string | undefined {
  if (block["type"] !== "search_result") return undefined;
  const lines = [textOf(block["title"]), textOf(block["source"]), contentText(block["content"])];
  return lines.filter(Boolean).join("\n");
}

function forResult(part: ContentPart): ToolResultContent["content"][number] {
  if (
    part.type === "text" || part.type === "image" || part.type === "file" || part.type === "native"
  ) return part;
  return { type: "native", kind: part.type, native: part.native ?? native({ type: part.type }) };
}
