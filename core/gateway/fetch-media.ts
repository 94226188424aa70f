import type { Call, ContentPart, Dialect, MediaSource } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";

/** Fetched bytes with the type their server declared. */
export type FetchMedia = (
  url: string,
  signal: AbortSignal,
) => Promise<{ readonly mediaType: string; readonly data: string }>;

const maxBytes = 20 * 1024 * 1024;
const maxMs = 10_000;
const maxRedirects = 3;
const acceptedTypes = /^(image\/|audio\/|video\/|text\/|application\/pdf\b)/;

/**
 * Fetches media a caller named by URL, for services that take bytes only: at most 20 MiB within 10 s, with a declared
 * type of image, sound, film, text or PDF. Each redirect is judged by the guard anew.
 *
 * The function throws `bad_image_url`, or `egress_refused` for an address that must not be called.
 *
 * @param guarded `fetch` through the egress guard that answers redirects instead of following them
 */
export function createFetchMedia(guarded: typeof fetch): FetchMedia {
  return async (url, outer) => {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(maxMs)]);
    try {
      const response = await follow(guarded, url, signal);
      const mediaType = (response.headers.get("content-type") ?? "").split(";")[0]!.trim();
      if (!acceptedTypes.test(mediaType)) {
        await response.body?.cancel();
        throw refuse(url, `its type "${mediaType}" is not accepted`);
      }
      const bytes = await readBytes(response, url);
      return { mediaType, data: bytes.toString("base64") };
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      if (outer.aborted) throw outer.reason;
      if (error instanceof Error && error.cause instanceof GatewayError) throw error.cause;
      throw refuse(
        url,
        signal.aborted ? `no answer within ${maxMs} ms` : "it cannot be reached",
        error,
      );
    }
  };
}

/** A call in which no URL stands that the dialect's service would have to fetch and cannot. */
export async function inlineMedia(
  call: Call,
  dialect: Dialect,
  fetchMedia: FetchMedia,
  signal: AbortSignal,
): Promise<Call> {
  const { takesMediaUrl } = dialect;
  if (!takesMediaUrl) return call;
  const inline = async (source: MediaSource): Promise<MediaSource> => {
    if (source.kind !== "url" || takesMediaUrl.call(dialect, source.url, source.mediaType)) {
      return source;
    }
    return { kind: "base64", ...await fetchMedia(source.url, signal) };
  };
  const part = async <Kind extends ContentPart>(given: Kind): Promise<Kind> => {
    if (given.type === "tool-result") {
      return { ...given, content: await Promise.all(given.content.map(part)) };
    }
    if (!("source" in given) || given.source.kind !== "url") return given;
    const source = await inline(given.source);
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
    throw refuse(from, `its server answers ${response.status}`);
  }
  throw refuse(from, `it redirects more than ${maxRedirects} times`);
}

async function readBytes(response: Response, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw refuse(url, `it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function refuse(url: string, reason: string, cause?: unknown): GatewayError {
  const shown = URL.canParse(url) ? new URL(url).host : "the URL";
  return new GatewayError("bad_image_url", `Cannot fetch media from ${shown}: ${reason}`, {
    cause,
  });
}
