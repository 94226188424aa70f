import type { CacheMark, ContentPart, Json, JsonObject, NativeContent } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { audioType, fileType, readUrl } from "@vmx/dialect-openai-chat/media";
import { listOf, objectOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";
import { native } from "./native.ts";

/** Reads content in either form, which stands at `path`. A bare string has no native of its own. */
export function decodeContent(content: Json | undefined, path: string): ContentPart[] {
  if (typeof content === "string") return [{ type: "text", text: content, path }];
  return listOf(content).flatMap((part, at) => {
    if (!isObject(part)) return [];
    const cache = readCache(part);
    return { ...decodePart(part), path: path + pointer(at), ...(cache ? { cache } : {}) };
  });
}

function decodePart(part: JsonObject): ContentPart {
  const kept = { native: native(part) };
  switch (part["type"]) {
    case "input_text":
    case "output_text":
    case "text":
      if (typeof part["text"] !== "string") break;
      return { type: "text", text: part["text"], ...kept };
    case "refusal":
      if (typeof part["refusal"] !== "string") break;
      return { type: "refusal", text: part["refusal"], ...kept };
    case "input_image": {
      const url = textOf(part["image_url"]);
      const id = textOf(part["file_id"]);
      const detail = textOf(part["detail"]);
      if (url === undefined && id === undefined) break;
      return {
        type: "image",
        source: url === undefined ? { kind: "id", id: id! } : readUrl(url),
        ...(detail === undefined ? {} : { detail }),
        ...kept,
      };
    }
    case "input_file":
      return decodeFile(part);
    case "input_audio": {
      const audio = objectOf(part["input_audio"]);
      if (typeof audio?.["data"] !== "string") break;
      const format = textOf(audio["format"]) ?? "wav";
      return {
        type: "audio",
        source: { kind: "base64", mediaType: audioType(format), data: audio["data"] },
        format,
        ...kept,
      };
    }
  }
  return unknownPart(part);
}

function decodeFile(part: JsonObject): ContentPart {
  const name = textOf(part["filename"]);
  const data = textOf(part["file_data"]);
  const url = textOf(part["file_url"]);
  const id = textOf(part["file_id"]);
  const kept = { ...(name === undefined ? {} : { name }), native: native(part) };
  if (data !== undefined) {
    const source = data.startsWith("data:")
      ? readUrl(data)
      : { kind: "base64" as const, mediaType: fileType(name), data };
    return { type: "file", source, ...kept };
  }
  if (url !== undefined) return { type: "file", source: readUrl(url), ...kept };
  return id === undefined
    ? unknownPart(part)
    : { type: "file", source: { kind: "id", id }, ...kept };
}

function unknownPart(part: JsonObject): NativeContent {
  return { type: "native", kind: textOf(part["type"]) ?? "unknown", native: native(part) };
}

function readCache(part: JsonObject): CacheMark | undefined {
  const mark = objectOf(part["prompt_cache_breakpoint"]);
  if (!mark) return undefined;
  const ttl = textOf(mark["ttl"]);
  return ttl === undefined ? {} : { ttl };
}
