import type { FileContent, ImageContent, JsonObject, MediaSource } from "@vmx/core/contract";
import { fileLosses } from "@vmx/core/kit";
import { type EncodeContext, refuse, refuseState } from "./encode-context.ts";
import { documentFormat, imageFormat } from "./media.ts";
import { compact, objectOf, ownNative } from "./read-json.ts";

/** Writes an image. The service takes bytes, and objects of its own storage. */
export function encodeImage(part: ImageContent, path: string, context: EncodeContext): JsonObject {
  const own = ownNative(part);
  if (own) return own;
  if (part.detail !== undefined && part.detail !== "auto") {
    context.warnings.push({
      code: "image_detail_dropped",
      path,
      action: "dropped",
      detail: part.detail,
    });
  }
  const { source } = part;
  const uri = storedAt(source);
  if (uri !== undefined) {
    const format = formatOfUrl(uri, imageFormat) ?? "png";
    return { image: { format, source: { s3Location: { uri } } } };
  }
  if (source.kind === "id") return refuseState("an image by its file id", path);
  if (source.kind !== "base64") return refuse("an image without its bytes", path);
  const format = imageFormat(source.mediaType);
  if (format === undefined) return refuse(`an image of type "${source.mediaType}"`, path);
  return { image: { format, source: { bytes: source.data } } };
}

/** Writes a document. */
export function encodeFile(part: FileContent, path: string, context: EncodeContext): JsonObject {
  const own = ownNative(part);
  if (own) {
    context.documentName(part.name);
    return own;
  }
  const { source } = part;
  const uri = storedAt(source);
  if (uri !== undefined) {
    const format = formatOfUrl(uri, documentFormat) ?? "pdf";
    return document(part, format, { s3Location: { uri } }, context);
  }
  if (source.kind === "id") return refuseState("a file by its id", path);
  if (source.kind === "url") return refuse("a file without its bytes", path);
  if (imageFormat(source.mediaType) !== undefined && source.kind === "base64") {
    context.warnings.push(...fileLosses(part, path));
    return encodeImage({ type: "image", source }, path, context);
  }
  const format = documentFormat(source.mediaType);
  if (format === undefined) return refuse(`a file of type "${source.mediaType}"`, path);
  const bytes = source.kind === "text" ? Buffer.from(source.text).toString("base64") : source.data;
  return document(part, format, { bytes }, context);
}

function document(
  part: FileContent,
  format: string,
  source: JsonObject,
  { documentName }: EncodeContext,
): JsonObject {
  return {
    document: compact({
      format,
      name: documentName(part.name),
      source,
      context: part.context,
      citations: part.citations ? { enabled: true } : undefined,
    }),
  };
}

/** The name a document has on the wire; undefined for any other block. */
export function documentOf(block: JsonObject): JsonObject | undefined {
  return objectOf(block["document"]);
}

/** The address of an object in the service's own storage. */
function storedAt(source: MediaSource): string | undefined {
  return source.kind === "url" && source.url.startsWith("s3://") ? source.url : undefined;
}

/** Formats are named as file extensions are. */
function formatOfUrl(
  url: string,
  formatOf: (type: string) => string | undefined,
): string | undefined {
  const extension = url.slice(url.lastIndexOf(".") + 1).toLowerCase();
  const known: Readonly<Record<string, string>> = {
    jpg: "image/jpeg",
    jpeg: "image/jpeg",
    gif: "image/gif",
    webp: "image/webp",
    png: "image/png",
    csv: "text/csv",
    txt: "text/plain",
    md: "text/markdown",
    html: "text/html",
    pdf: "application/pdf",
  };
  return known[extension] === undefined ? undefined : formatOf(known[extension]);
}
