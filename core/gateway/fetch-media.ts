import type { Call, ContentPart, Dialect, MediaSource } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import type { EgressGuard } from "../kit/index.ts";

/** Bytes in base64, with their type. */
export interface Media {
  readonly mediaType: string;
  readonly data: string;
}

/** What the caller says the media is. */
export type MediaKind = "image" | "file" | "audio";

/** Fetches bytes, with the type their server declares. */
export interface FetchMedia {
  (url: string, signal: AbortSignal, kind: MediaKind): Promise<Media>;
  /**
   * What can be told of a URL without calling anybody: throws what fetching it would be refused for, and answers
   * media of the likeliest type, without bytes.
   */
  foresee(url: string, kind: MediaKind): Media;
}

const maxBytes = 20 * 1024 * 1024;
const maxMs = 10_000;
const maxRedirects = 3;
const likelyTypes: Readonly<Record<MediaKind, string>> = {
  image: "image/png",
  file: "application/pdf",
  audio: "audio/wav",
};
const acceptedTypes = /^(image\/|audio\/|video\/|text\/|application\/pdf\b)/;

/**
 * Fetches media a caller named by URL, for services that take bytes only: at most 20 MiB within 10 s, with a declared
 * type of image, sound, film, text or PDF. Each redirect is judged by the guard anew.
 *
 * The function throws `bad_image_url`, or `egress_refused` for an address that must not be called.
 *
 * @param guarded `fetch` through the egress guard that answers redirects instead of following them
 * @param guard the same guard
 */
export function createFetchMedia(
  guarded: typeof fetch,
  guard: Pick<EgressGuard, "checkUrl">,
): FetchMedia {
  const check = (url: string): void => {
    if (/^data:/i.test(url)) throw refuse("a data URL", "it holds no base64");
    if (!URL.canParse(url)) throw refuse("the URL", "it is not valid");
    guard.checkUrl(url);
  };
  const fetchMedia = async (url: string, outer: AbortSignal): Promise<Media> => {
    check(url);
    const signal = AbortSignal.any([outer, AbortSignal.timeout(maxMs)]);
    try {
      const response = await follow(guarded, url, signal);
      const mediaType = (response.headers.get("content-type") ?? "").split(";")[0]!.trim();
      if (!acceptedTypes.test(mediaType)) {
        await response.body?.cancel();
        throw refuse(hostOf(url), `its type "${mediaType}" is not accepted`);
      }
      const bytes = await readBytes(response, url);
      return { mediaType, data: bytes.toString("base64") };
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      if (outer.aborted) throw outer.reason;
      if (error instanceof Error && error.cause instanceof GatewayError) throw error.cause;
      throw refuse(
        hostOf(url),
        signal.aborted ? `no answer within ${maxMs} ms` : "it cannot be reached",
        error,
      );
    }
  };
  return Object.assign(fetchMedia, {
    foresee(url: string, kind: MediaKind): Media {
      check(url);
      return { mediaType: likelyTypes[kind], data: "" };
    },
  });
}

/**
 * A call in which no URL stands that the dialect's service would have to fetch and cannot.
 *
 * Throws `bad_image_url` for data that is no base64, besides what fetching throws.
 */
export async function inlineMedia(
  call: Call,
  dialect: Dialect,
  fetchMedia: FetchMedia,
  signal: AbortSignal,
): Promise<Call> {
  const { takesMediaUrl } = dialect;
  if (!takesMediaUrl) return call;
  const inline = async (source: MediaSource, kind: MediaKind): Promise<MediaSource> => {
    if (source.kind === "base64" && !isBase64(source.data)) {
      throw refuse("a data URL", "its data is not base64");
    }
    if (source.kind !== "url" || takesMediaUrl.call(dialect, source.url, source.mediaType)) {
      return source;
    }
    return { kind: "base64", ...await fetchMedia(source.url, signal, kind) };
  };
  const part = async <Kind extends ContentPart>(given: Kind): Promise<Kind> => {
    if (given.type === "tool-result") {
      return { ...given, content: await Promise.all(given.content.map(part)) };
    }
    if (!("source" in given)) return given;
    const source = await inline(given.source, given.type);
    // The original spelling names the URL, which the service would not take.
    return source === given.source ? given : { ...given, source, native: undefined };
  };
  const turns = await Promise.all(
    call.turns.map(async (turn) => ({ ...turn, parts: await Promise.all(turn.parts.map(part)) })),
  );
  return { ...call, turns };
}

async function follow(guarded: typeof fetch, from: string, signal: AbortSignal): Promise<Response> {
  let url = from;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await guarded(url, { redirect: "manual", signal });
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location) {
      await response.body?.cancel();
      url = new URL(location, url).href;
      continue;
    }
    if (response.ok) return response;
    await response.body?.cancel();
    throw refuse(hostOf(from), `its server answers ${response.status}`);
  }
  throw refuse(hostOf(from), `it redirects more than ${maxRedirects} times`);
}

async function readBytes(response: Response, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw refuse(hostOf(url), `it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * Whether a text looks like base64 at its head and tail; both alphabets and line breaks are taken. Reading megabytes
 * through would keep the process from everything else, and the service judges them anyway.
 */
function isBase64(data: string): boolean {
  const ends = data.length > 2 * lookAt ? data.slice(0, lookAt) + data.slice(-lookAt) : data;
  return ends !== "" && !/[^A-Za-z0-9+/_\-=\s]/.test(ends);
}

const lookAt = 4096;

function hostOf(url: string): string {
  return new URL(url).host;
}

function refuse(from: string, reason: string, cause?: unknown): GatewayError {
  return new GatewayError("bad_image_url", `Cannot fetch media from ${from}: ${reason}`, {
    cause,
  });
}
