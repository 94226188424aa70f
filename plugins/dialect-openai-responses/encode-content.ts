import {
  type ContentPart,
  GatewayError,
  type JsonObject,
  type Native,
  type NativeContent,
} from "@vmx/core/contract";
import { writeUrl } from "@vmx/dialect-openai-chat/media";
import { compact, objectOf, restore } from "@vmx/dialect-openai-chat/read-json";
import { dialectId, ownNative } from "./native.ts";

const textMembers = new Set(["type", "text"]);
const refusalMembers = new Set(["type", "refusal"]);
const imageMembers = new Set(["type", "image_url", "file_id", "detail"]);
const fileMembers = new Set(["type", "file_data", "file_url", "file_id", "filename"]);

/**
 * Writes one part of a content array.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express.
 *
 * @param original the part as the caller spelled it, where that was in this dialect
 * @param textType `input_text`, or `output_text` for what the model said
 */
export function encodePart(
  part: ContentPart,
  original: JsonObject | undefined,
  textType: "input_text" | "output_text",
  path: string,
): JsonObject {
  switch (part.type) {
    case "text": {
      const type = original?.["type"] ?? textType;
      const fresh = original === undefined && textType === "output_text" ? { annotations: [] } : {};
      return restore({ type, text: part.text, ...fresh }, original, textMembers);
    }
    case "refusal":
      return restore({ type: "refusal", refusal: part.text }, original, refusalMembers);
    case "image": {
      const { source, detail } = part;
      if (source.kind === "id" && !original) return refuseState("an image by its file id", path);
      const place = source.kind === "id" ? { file_id: source.id } : { image_url: writeUrl(source) };
      return restore({ type: "input_image", ...place, detail }, original, imageMembers);
    }
    case "file":
      return restore(
        { type: "input_file", ...encodeFile(part, original, path) },
        original,
        fileMembers,
      );
    case "audio":
      return original ?? refuse("audio", path);
    case "native":
      return nativeValue(part, path);
    default:
      return refuse(`a part of type "${part.type}" in a message`, path);
  }
}

function encodeFile(
  part: Extract<ContentPart, { type: "file" }>,
  original: JsonObject | undefined,
  path: string,
): JsonObject {
  const { source, name } = part;
  if (source.kind === "id") {
    // An id means something only to the service that gave it.
    if (!original) return refuseState("a file by its id", path);
    return { file_id: source.id, filename: name };
  }
  if (source.kind === "url") {
    return { file_url: source.url, filename: original ? name : undefined };
  }
  const bare = source.kind === "base64" && original?.["file_data"] === source.data;
  return {
    file_data: bare ? source.data : writeUrl(source),
    // Data without a name is refused.
    filename: name ?? (original ? undefined : nameFor(source.mediaType)),
  };
}

function nameFor(mediaType: string): string {
  const kind = /^[a-z]+\/(?:x-)?([a-z0-9]+)$/.exec(mediaType)?.[1] ?? "bin";
  return `document.${kind === "plain" ? "txt" : kind === "markdown" ? "md" : kind}`;
}

/** The verbatim value of what only this dialect knows. Throws `unsupported_content` for that of others. */
export function nativeValue(part: NativeContent, path: string): JsonObject {
  const own = ownNative(part);
  return own ? compact(own) : refuse(`content of the kind "${part.kind}"`, path);
}

/** Where an assistant's or a system's part stood in its message; undefined for parts of other dialects. */
export function placeOf(part: { readonly native?: Native }): MessagePlace | undefined {
  const value = ownNative(part);
  if (value === undefined || typeof value["at"] !== "number") return undefined;
  return {
    at: value["at"],
    item: objectOf(value["item"]),
    original: objectOf(value["original"]),
  };
}

/** See `placeOf`. */
export interface MessagePlace {
  /** 0 for the part that opens the message. */
  readonly at: number;
  /** The message without its content; on the first part only. */
  readonly item: JsonObject | undefined;
  /** The part's spelling; undefined when the content was a bare string. */
  readonly original: JsonObject | undefined;
}

/** Throws `unsupported_content` naming what the dialect has no place for. */
export function refuse(what: string, path: string): never {
  throw new GatewayError(
    "unsupported_content",
    `Cannot write the request in the dialect "${dialectId}": it has no place for ${what} (${path})`,
    { param: path },
  );
}

function refuseState(what: string, path: string): never {
  throw new GatewayError(
    "state_not_portable",
    `Cannot write the request in the dialect "${dialectId}": ${what} is known to another service (${path})`,
    { param: path },
  );
}
