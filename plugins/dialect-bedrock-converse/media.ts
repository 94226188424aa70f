import type { JsonObject, MediaSource } from "@vmx/core/contract";
import { objectOf, objectsOf, textOf } from "./read-json.ts";

const imageTypes: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/jpg": "jpeg",
  "image/gif": "gif",
  "image/webp": "webp",
};

const documentTypes: Readonly<Record<string, string>> = {
  "application/pdf": "pdf",
  "text/csv": "csv",
  "application/msword": "doc",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "text/html": "html",
  "text/plain": "txt",
  "text/markdown": "md",
  // Text in a form the service has no word for.
  "application/json": "txt",
};

/** The service's word for an image's media type; undefined for one it does not take. */
export function imageFormat(mediaType: string): string | undefined {
  return imageTypes[bareType(mediaType)];
}

/** The service's word for a document's media type; undefined for one it does not take. */
export function documentFormat(mediaType: string): string | undefined {
  const type = bareType(mediaType);
  return documentTypes[type] ?? (type.startsWith("text/") ? "txt" : undefined);
}

/** Media type of an image format. */
export function imageType(format: string | undefined): string {
  return `image/${format ?? "png"}`;
}

/** Media type of a document format; PDF when there is none. */
export function documentType(format: string | undefined): string {
  const found = Object.entries(documentTypes).find(([, each]) => each === format);
  return found?.[0] ?? (format === undefined ? "application/pdf" : "application/octet-stream");
}

/** Reads a `source`; undefined for forms this dialect's services alone understand. */
export function readSource(
  source: JsonObject | undefined,
  mediaType: string,
): MediaSource | undefined {
  const data = textOf(source?.["bytes"]);
  if (data !== undefined) return { kind: "base64", mediaType, data };
  const text = textOf(source?.["text"]);
  if (text !== undefined) return { kind: "text", mediaType, text };
  const uri = textOf(objectOf(source?.["s3Location"])?.["uri"]);
  if (uri !== undefined) return { kind: "id", id: uri };
  const pieces = objectsOf(source?.["content"]).map((piece) => textOf(piece["text"]));
  if (pieces.length === 0 || pieces.some((piece) => piece === undefined)) return undefined;
  return { kind: "text", mediaType: "text/plain", text: pieces.join("\n\n") };
}

function bareType(mediaType: string): string {
  return mediaType.split(";", 1)[0]!.trim().toLowerCase();
}
