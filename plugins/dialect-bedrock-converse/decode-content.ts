import type {
  CacheMark,
  ContentPart,
  Json,
  JsonObject,
  NativeContent,
  ToolResultContent,
  Warning,
} from "@vmx/core/contract";
import { documentType, imageType, readSource } from "./media.ts";
import { native, objectOf, objectsOf, textOf } from "./read-json.ts";

/** A list of blocks, with the mark that stood before the first of them. */
export interface DecodedBlocks {
  readonly parts: readonly ContentPart[];
  /** A mark about what came before these blocks. */
  readonly leading?: CacheMark;
}

/** Reads the blocks of a message. A cache point becomes a mark on the block it follows. */
export function decodeBlocks(content: Json | undefined): DecodedBlocks {
  const parts: ContentPart[] = [];
  let leading: CacheMark | undefined;
  for (const block of objectsOf(content)) {
    const mark = readCachePoint(block);
    if (!mark) {
      parts.push(decodeBlock(block));
      continue;
    }
    const last = parts.pop();
    if (last) parts.push({ ...last, cache: mark });
    else leading = mark;
  }
  return { parts, ...(leading ? { leading } : {}) };
}

/** Reads a cache point; undefined for any other block. */
export function readCachePoint(block: JsonObject): CacheMark | undefined {
  const point = objectOf(block["cachePoint"]);
  if (!point) return undefined;
  const ttl = textOf(point["ttl"]);
  return ttl === undefined ? {} : { ttl };
}

/** What is lost with a cache point that has nothing before it. */
export function pointDropped(path: string): Warning {
  return {
    code: "cache_control_dropped",
    path,
    action: "dropped",
    detail: "Nothing stands before the cache point",
  };
}

/** The member that says what a block is. */
export function kindOf(block: JsonObject): string {
  return Object.keys(block).find((name) => block[name] !== undefined && name !== "type") ??
    "unknown";
}

function decodeBlock(block: JsonObject): ContentPart {
  const kept = { native: native(block) };
  const own = objectOf(block[kindOf(block)]) ?? {};
  const text = textOf(block["text"]) ?? plainText(block);
  if (text !== undefined) return { type: "text", text, ...kept };
  const media = decodeMedia(block);
  if (media) return media;
  if (block["audio"] !== undefined) {
    const format = textOf(own["format"]) ?? "wav";
    const source = readSource(objectOf(own["source"]), `audio/${format}`);
    if (source) return { type: "audio", source, format, ...kept };
  }
  if (block["reasoningContent"] !== undefined) {
    const spoken = objectOf(own["reasoningText"]) ?? {};
    const signature = textOf(spoken["signature"]);
    const encrypted = textOf(own["redactedContent"]);
    return {
      type: "reasoning",
      text: textOf(spoken["text"]) ?? "",
      ...(signature === undefined ? {} : { signature }),
      ...(encrypted === undefined ? {} : { encrypted }),
      ...kept,
    };
  }
  // Calls and results of tools the service runs by itself mean nothing elsewhere.
  if (block["toolUse"] !== undefined && own["type"] !== "server_tool_use") {
    return {
      type: "tool-call",
      id: textOf(own["toolUseId"]) ?? "",
      name: textOf(own["name"]) ?? "",
      input: objectOf(own["input"]) ?? {},
      ...kept,
    };
  }
  if (block["toolResult"] !== undefined && !isServerResult(own)) return decodeResult(own, block);
  return nativePart(block);
}

/** Whether a result was made by a tool the service runs by itself; those say which. */
function isServerResult(result: JsonObject): boolean {
  const type = textOf(result["type"]);
  return type !== undefined && type !== "tool_result";
}

function decodeResult(own: JsonObject, block: JsonObject): ToolResultContent {
  const { status } = own;
  return {
    type: "tool-result",
    callId: textOf(own["toolUseId"]) ?? "",
    content: objectsOf(own["content"]).map(decodeResultBlock),
    ...(status === "error" || status === "success" ? { isError: status === "error" } : {}),
    native: native(block),
  };
}

function decodeResultBlock(block: JsonObject): ToolResultContent["content"][number] {
  const text = textOf(block["text"]) ?? plainText(block) ??
    (block["json"] === undefined ? undefined : JSON.stringify(block["json"]));
  if (text !== undefined) return { type: "text", text, native: native(block) };
  return decodeMedia(block) ?? nativePart(block);
}

function decodeMedia(
  block: JsonObject,
): Extract<ContentPart, { type: "image" | "file" }> | undefined {
  const guarded = objectOf(objectOf(block["guardContent"])?.["image"]);
  const image = objectOf(block["image"]) ?? guarded;
  const kept = { native: native(block) };
  if (image) {
    const source = readSource(objectOf(image["source"]), imageType(textOf(image["format"])));
    return source && { type: "image", source, ...kept };
  }
  const document = objectOf(block["document"]);
  if (!document) return undefined;
  const type = documentType(textOf(document["format"]));
  const source = readSource(objectOf(document["source"]), type);
  const name = textOf(document["name"]);
  return source && { type: "file", source, ...(name === undefined ? {} : { name }), ...kept };
}

/** The text of blocks that are text with something around it. */
function plainText(block: JsonObject): string | undefined {
  const guarded = textOf(objectOf(objectOf(block["guardContent"])?.["text"])?.["text"]);
  if (guarded !== undefined) return guarded;
  const cited = objectOf(block["citationsContent"]);
  if (cited) return objectsOf(cited["content"]).map(({ text }) => textOf(text) ?? "").join("");
  const found = objectOf(block["searchResult"]);
  if (!found) return undefined;
  const texts = objectsOf(found["content"]).map(({ text }) => textOf(text));
  return [textOf(found["title"]), textOf(found["source"]), ...texts].filter(Boolean).join("\n");
}

function nativePart(block: JsonObject): NativeContent {
  const type = textOf(objectOf(block[kindOf(block)])?.["type"]);
  return { type: "native", kind: type ?? kindOf(block), native: native(block) };
}

/** Texts of a system block or message in plain words; undefined for blocks that hold none. */
export function systemText(block: JsonObject): string | undefined {
  return textOf(block["text"]) ?? plainText(block);
}
