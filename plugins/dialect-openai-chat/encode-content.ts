import {
  type ContentPart,
  GatewayError,
  type Json,
  type JsonObject,
  type NativeContent,
  type Warning,
} from "@vmx/core/contract";
import { fileLosses } from "@vmx/core/kit";
import { writeUrl } from "./media.ts";
import type { ChatProfile } from "./profile.ts";
import { compact, dialectId, objectOf, ownNative, restore, textOf } from "./read-json.ts";

/** What the encoder of a request carries along. */
export interface EncodeContext {
  readonly profile: ChatProfile;
  /** The family reasoning signatures may go to. */
  readonly family: string;
  readonly warnings: Warning[];
  /** The name on the wire of a tool. */
  toWire(name: string): string;
}

const textMembers = new Set(["type", "text"]);
const refusalMembers = new Set(["type", "refusal"]);
const imageMembers = new Set(["type", "image_url"]);
const audioMembers = new Set(["type", "input_audio"]);
const fileMembers = new Set(["type", "file"]);

/**
 * Writes parts as a message's content: a string where one plain text is all there is (or was), else an array.
 *
 * Throws `unsupported_content` naming what the dialect cannot express.
 */
export function encodeContent(
  parts: readonly ContentPart[],
  original: Json | undefined,
  path: string,
  context: EncodeContext,
): Json {
  const [first] = parts;
  const plain = parts.length === 1 && first?.type === "text" &&
    (!first.cache || !context.profile.cacheBreakpoints);
  if (plain && !Array.isArray(original)) return first.text;
  return parts.map((part, at) => encodePart(part, part.path ?? `${path}/content/${at}`, context));
}

/** Writes one part of a content array. */
function encodePart(part: ContentPart, path: string, context: EncodeContext): JsonObject {
  const own = ownNative(part);
  const cache = "cache" in part && part.cache && context.profile.cacheBreakpoints
    ? { prompt_cache_breakpoint: { mode: "explicit" } }
    : {};
  switch (part.type) {
    case "text":
      return restore({ type: "text", text: part.text, ...cache }, own, textMembers);
    case "refusal":
      return restore({ type: "refusal", refusal: part.text }, own, refusalMembers);
    case "image": {
      const url = writeUrl(part.source);
      if (url === undefined) return refuseState("an image by its file id", path);
      const image = restore(
        { url, detail: part.detail },
        objectOf(own?.["image_url"]),
        new Set(["url", "detail"]),
      );
      return restore({ type: "image_url", image_url: image, ...cache }, own, imageMembers);
    }
    case "audio": {
      if (part.source.kind !== "base64") return refuse("audio that is not in the body", path);
      const audio = { data: part.source.data, format: part.format };
      return restore({ type: "input_audio", input_audio: audio, ...cache }, own, audioMembers);
    }
    case "file":
      if (!own) context.warnings.push(...fileLosses(part, path));
      return restore(
        { type: "file", file: encodeFile(part, objectOf(own?.["file"]), path), ...cache },
        own,
        fileMembers,
      );
    case "native":
      return nativeValue(part, path);
    default:
      return refuse(`a part of type "${part.type}"`, path);
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
    return restore({ file_id: source.id, filename: name }, original, new Set(["file_data"]));
  }
  const bare = source.kind === "base64" && textOf(original?.["file_data"]) === source.data;
  const data = bare ? source.data : writeUrl(source);
  // An URL in this place is what some services take; only their callers write it.
  if (source.kind === "url" && !original) return refuse("a file by its URL", path);
  // Files without a name are refused.
  const filename = name ?? (original ? undefined : "document");
  return restore({ file_data: data, filename }, original, new Set(["file_id"]));
}

/** The verbatim value of a part only this dialect knows. Throws `unsupported_content` for those of others. */
export function nativeValue(part: NativeContent, path: string): JsonObject {
  const own = part.native.dialect === dialectId ? objectOf(part.native.value) : undefined;
  return own ? compact(own) : refuse(`content of the kind "${part.kind}"`, path);
}

function refuse(what: string, path: string): never {
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
