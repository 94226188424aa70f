import {
  type AudioContent,
  type FileContent,
  GatewayError,
  type ImageContent,
  type JsonObject,
  type MediaSource,
} from "@vmx/core/contract";
import { camelOf, compact, dialectId, native, textOf } from "./read-json.ts";

type Media = ImageContent | FileContent | AudioContent;

/** Hosts whose files the service fetches by itself: its own store and the videos of its sister. */
const knownHosts =
  /^https:\/\/(generativelanguage\.googleapis\.com|(www\.)?youtube\.com|youtu\.be)\//;

/** What the service reads as a document, beside images, sound and moving pictures. */
const documents = /^(application\/pdf|application\/json|application\/x-javascript|text\/[\w.+-]+)$/;

const typesByExtension: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  heic: "image/heic",
  pdf: "application/pdf",
  txt: "text/plain",
  mp3: "audio/mp3",
  wav: "audio/wav",
  mp4: "video/mp4",
};

/** Whether the service fetches media at this URL by itself; all others it takes as bytes only. */
export function takesMediaUrl(url: string): boolean {
  return url.startsWith("gs://") || knownHosts.test(url);
}

/** Reads `inlineData` or `fileData`; undefined when the part holds neither. */
export function readMedia(part: JsonObject): Media | undefined {
  const inline = camelOf(part["inlineData"]);
  const file = camelOf(part["fileData"]);
  const mediaType = textOf((inline ?? file)?.["mimeType"]);
  const data = textOf(inline?.["data"]);
  const url = textOf(file?.["fileUri"]);
  const kept = { native: native(part) };
  const name = textOf((inline ?? file)?.["displayName"]);
  const source: MediaSource | undefined = data !== undefined
    ? { kind: "base64", mediaType: mediaType ?? "application/octet-stream", data }
    : url !== undefined
    ? { kind: "url", url, ...(mediaType === undefined ? {} : { mediaType }) }
    : undefined;
  if (!source) return undefined;
  if (mediaType?.startsWith("image/")) return { type: "image", source, ...kept };
  if (mediaType?.startsWith("audio/")) {
    return { type: "audio", source, format: mediaType.slice("audio/".length), ...kept };
  }
  return { type: "file", source, ...(name === undefined ? {} : { name }), ...kept };
}

/**
 * Writes media as `inlineData` or `fileData`.
 *
 * Throws `unsupported_content` for what the service cannot read, `state_not_portable` for another service's file id.
 */
export function writeMedia(part: Media, path: string): JsonObject {
  const { source } = part;
  switch (source.kind) {
    case "base64":
      checkType(source.mediaType, path);
      return { inlineData: { mimeType: source.mediaType, data: source.data } };
    case "text":
      checkType(source.mediaType, path);
      return {
        inlineData: {
          mimeType: source.mediaType,
          data: Buffer.from(source.text).toString("base64"),
        },
      };
    case "url":
      if (!takesMediaUrl(source.url)) {
        return refuse("unsupported_content", "media by a URL that was not fetched", path);
      }
      return {
        fileData: compact({
          mimeType: source.mediaType ?? typesByExtension[extension(source.url)],
          fileUri: source.url,
        }),
      };
    case "id":
      return refuse("state_not_portable", "a file by its id, which another service keeps", path);
  }
}

function checkType(mediaType: string, path: string): void {
  const [bare = ""] = mediaType.toLowerCase().split(";");
  if (/^(image|audio|video)\//.test(bare) || documents.test(bare.trim())) return;
  refuse("unsupported_content", `a file of the type "${mediaType.slice(0, 100)}"`, path);
}

function extension(url: string): string {
  return /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase() ?? "";
}

function refuse(
  code: "unsupported_content" | "state_not_portable",
  what: string,
  path: string,
): never {
  throw new GatewayError(
    code,
    `Cannot write the request in the dialect "${dialectId}": it has no place for ${what} (${path})`,
    { param: path },
  );
}
