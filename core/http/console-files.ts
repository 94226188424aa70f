import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A file of the built console. */
export interface ConsoleFile {
  readonly path: string;
  readonly type: string;
  /** Its name changes with its content. */
  readonly immutable: boolean;
  readonly etag: string;
  /** Bytes by content coding; `identity` is always there. */
  readonly bytes: Readonly<Partial<Record<ContentCoding, Buffer>>> & { readonly identity: Buffer };
}

/** A form a file may be sent in. */
export type ContentCoding = "br" | "gzip" | "identity";

/** The built console. */
export interface ConsoleFiles {
  /** The page every path of the console begins with. */
  readonly page: ConsoleFile;
  /** First path segments of the console's pages. */
  readonly segments: ReadonlySet<string>;
  /** Hashes of the style attributes its markup has. */
  readonly styles: readonly string[];
  /** The file under a request path such as `/theme.js`; undefined when there is none. */
  find(path: string): ConsoleFile | undefined;
}

/** Where a build may lie: beside the packages of the repository, or inside the published package. */
const places = ["../../admin/build", "../console"];

/** Finds the built console. Undefined when it has not been built. */
export function findConsole(): ConsoleFiles | undefined {
  for (const place of places) {
    const files = openConsole(fileURLToPath(new URL(place, import.meta.url)));
    if (files) return files;
  }
  return undefined;
}

/**
 * Opens a folder with a built console, and follows it: a page of an older build would ask for files that are gone.
 *
 * @returns undefined when the folder holds no build
 */
export function openConsole(folder: string): ConsoleFiles | undefined {
  let builtAt = modifiedAt(folder);
  let current = readConsole(folder);
  if (!current) return undefined;
  const latest = (): ConsoleFiles => {
    const now = modifiedAt(folder);
    if (now === undefined || now === builtAt) return current!;
    current = readConsole(folder) ?? current;
    builtAt = now;
    return current!;
  };
  return {
    get page() {
      return latest().page;
    },
    get segments() {
      return current!.segments;
    },
    get styles() {
      return current!.styles;
    },
    find: (path) => current!.find(path),
  };
}

/** The manifest is written last. */
function modifiedAt(folder: string): number | undefined {
  return statSync(join(folder, "console.json"), { throwIfNoEntry: false })?.mtimeMs;
}

/** Reads what there is; a file itself when it is first asked for. */
function readConsole(folder: string): ConsoleFiles | undefined {
  const names = filesBelow(folder);
  if (!names.has("/index.html") || !names.has("/console.json")) return undefined;
  const manifest = JSON.parse(readFileSync(join(folder, "console.json"), "utf8")) as {
    segments: string[];
    styles?: string[];
  };
  const opened = new Map<string, ConsoleFile>();
  const find: ConsoleFiles["find"] = (path) => {
    if (!names.has(path) || path === "/console.json" || /\.(br|gz)$/.test(path)) return undefined;
    const known = opened.get(path);
    if (known) return known;
    const read = (suffix: string) =>
      names.has(path + suffix) ? readFileSync(join(folder, path + suffix)) : undefined;
    const identity = readFileSync(join(folder, path));
    const br = read(".br");
    const gzip = read(".gz");
    const file: ConsoleFile = {
      path,
      type: types[extname(path)] ?? "application/octet-stream",
      immutable: path.includes("/immutable/"),
      etag: `"${createHash("sha256").update(identity).digest("base64url").slice(0, 22)}"`,
      bytes: { identity, ...(br ? { br } : {}), ...(gzip ? { gzip } : {}) },
    };
    opened.set(path, file);
    return file;
  };
  return {
    page: find("/index.html")!,
    segments: new Set(manifest.segments),
    styles: manifest.styles ?? [],
    find,
  };
}

function filesBelow(folder: string): ReadonlySet<string> {
  try {
    return new Set(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) =>
          join(parentPath, name).slice(folder.length).replaceAll(sep, "/")
        )
        .map((path) => path.startsWith("/") ? path : `/${path}`),
    );
  } catch {
    return new Set();
  }
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
