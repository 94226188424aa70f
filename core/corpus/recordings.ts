import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../contract/index.ts";

/** One recorded HTTP exchange with a provider. */
export interface Recording {
  /** Folder and case, such as `groq/plain-text-1`. */
  readonly name: string;
  /** Language of the exchange as the recorder named it. */
  readonly api: string;
  /** Path and query of the request. */
  readonly path: string;
  readonly status: number;
  readonly model: string;
  readonly stream: boolean;
  readonly categories: readonly string[];
  /** The request's body as it was sent; undefined where it was not recorded. */
  readonly request: string | undefined;
  /** Headers of the request that say something about its body. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
  readonly bodyKind: "json" | "sse" | "eventstream" | "txt";
}

/** Folder of the recordings. */
export const recordingsRoot = join(
  process.env["VMX_FIXTURES"] ??
    fileURLToPath(new URL("../../../shared/fixtures", import.meta.url)),
  "wire",
);

/** Whether the recordings are there. */
export const hasRecordings = existsSync(recordingsRoot);

/** Reads all recordings of one folder. */
export function readRecordings(folder: string): Recording[] {
  return readdirSync(join(recordingsRoot, folder)).sort().map((name) => {
    const home = join(recordingsRoot, folder, name);
    const meta = readJson(join(home, "meta.json"));
    const file = meta["body"] as string;
    const request = join(home, "request.json");
    const path = meta["path"] as string;
    return {
      name: `${folder}/${name}`,
      api: meta["api"] as string,
      path,
      status: meta["status"] as number,
      model: modelOf(path) ?? (meta["model"] as string || "model"),
      stream: meta["stream"] === true || /stream/i.test(path),
      categories: meta["categories"] as readonly string[],
      request: existsSync(request) ? readFileSync(request, "utf8") : undefined,
      requestHeaders: (meta["request_headers"] ?? {}) as Record<string, string>,
      headers: readJson(join(home, "headers.json"))["headers"] as Recording["headers"],
      body: readFileSync(join(home, file)),
      bodyKind: file.slice(file.indexOf(".") + 1) as Recording["bodyKind"],
    };
  });
}

/** Names of all folders. */
export function recordedFolders(): string[] {
  return readdirSync(recordingsRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** The model where the path names it, which is its whole id. */
function modelOf(path: string): string | undefined {
  const found = /\/models?\/([^/?]+?)(?::\w+)?(?:\/(?:converse|invoke)[\w-]*)?(?:\?|$)/.exec(path);
  return found ? decodeURIComponent(found[1]!) : undefined;
}

function readJson(path: string): JsonObject {
  return JSON.parse(readFileSync(path, "utf8")) as JsonObject;
}
