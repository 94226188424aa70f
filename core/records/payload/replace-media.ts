import { createHash } from "node:crypto";

const minLength = 256;
const dataUrl = /^data:([\w.+/-]*)(?:;[\w=.-]+)*;base64,/;
const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
/** Members that hold bytes as base64 in one dialect or another. */
const byteMembers = new Set(["data", "bytes", "b64_json", "file_data", "fileData", "audio"]);

/** Found in the JSON of every body that holds media, and in few others. */
export const mayHoldMedia = /;base64,|"(?:data|bytes|b64_json|file_data|fileData|audio)"\s*:\s*"/;

/** Puts `{mediaType, bytes, sha256}` in the place of media that stand in a body as base64. */
export function replaceMedia(value: unknown, member = "", around: object = {}): unknown {
  if (typeof value === "string") return replaceText(value, member, around);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return replaceItems(value, member);
  let replaced: Record<string, unknown> | undefined;
  for (const [name, item] of Object.entries(value)) {
    const next = replaceMedia(item, name, value);
    if (next !== item) (replaced ??= { ...value })[name] = next;
  }
  return replaced ?? value;
}

function replaceItems(items: readonly unknown[], member: string): readonly unknown[] {
  let replaced: unknown[] | undefined;
  items.forEach((item, index) => {
    const next = replaceMedia(item, member);
    if (next !== item) (replaced ??= [...items])[index] = next;
  });
  return replaced ?? items;
}

function replaceText(text: string, member: string, around: object): unknown {
  if (text.length < minLength) return text;
  const url = text.startsWith("data:") ? dataUrl.exec(text.slice(0, minLength)) : null;
  if (url) return describe(text.slice(url[0].length), url[1] || null);
  if (!byteMembers.has(member) || !base64.test(text)) return text;
  return describe(text, mediaTypeOf(around));
}

function describe(encoded: string, mediaType: string | null) {
  const bytes = Buffer.from(encoded, "base64");
  return {
    mediaType,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

function mediaTypeOf(around: object): string | null {
  for (const name of ["media_type", "mimeType", "mime_type", "format"]) {
    const value = (around as Record<string, unknown>)[name];
    if (typeof value === "string") return value;
  }
  return null;
}
