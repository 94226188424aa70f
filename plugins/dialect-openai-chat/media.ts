import type { MediaSource } from "@vmx/core/contract";

const dataUrl = /^data:([^;,]*)(?:;[^,;]+)*;base64,/;

const audioTypes: Readonly<Record<string, string>> = { mp3: "audio/mpeg", pcm16: "audio/pcm" };

const fileTypes: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  html: "text/html",
  json: "application/json",
};

/** Reads a URL or data URL. */
export function readUrl(url: string): MediaSource {
  const match = dataUrl.exec(url);
  if (!match) return { kind: "url", url };
  return {
    kind: "base64",
    mediaType: match[1] || "application/octet-stream",
    data: url.slice(match[0].length),
  };
}

/** Writes a source as a URL or data URL; undefined for what has neither, such as a provider's file id. */
export function writeUrl(source: MediaSource): string | undefined {
  switch (source.kind) {
    case "url":
      return source.url;
    case "base64":
      return `data:${source.mediaType};base64,${source.data}`;
    case "text":
      return `data:${source.mediaType};base64,${Buffer.from(source.text).toString("base64")}`;
    case "id":
      return undefined;
  }
}

/** Media type of an audio format such as `wav`. */
export function audioType(format: string): string {
  return audioTypes[format] ?? `audio/${format}`;
}

/** Media type of a file by its name; PDF when the name does not tell. */
export function fileType(name: string | undefined): string {
  const extension = name?.slice(name.lastIndexOf(".") + 1).toLowerCase() ?? "";
  return fileTypes[extension] ?? "application/pdf";
}
