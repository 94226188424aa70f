import type { Json, JsonObject, SourceBlock } from "@vmx/core/contract";
import {
  camelOf,
  compact,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  present,
  textOf,
} from "./read-json.ts";

/**
 * Reads `groundingMetadata` and `citationMetadata` as sources: one per place of the answer that a source supports,
 * and one without a place for a source that supports none. The service counts bytes, sources count characters.
 *
 * @param texts the answer's text blocks
 */
export function readSources(
  candidate: JsonObject,
  texts: readonly string[],
  choice: number,
): SourceBlock[] {
  const places = createPlaces(texts.at(-1) ?? "");
  const grounding = camelOf(candidate["groundingMetadata"]);
  const supports = objectsOf(grounding?.["groundingSupports"]);
  const cited: SourceBlock[] = [];
  objectsOf(grounding?.["groundingChunks"]).forEach((chunk, at) => {
    const source = readChunk(chunk, choice);
    const segments = supports
      .filter((support) => listOf(support["groundingChunkIndices"]).includes(at))
      .map((support) => objectOf(support["segment"]) ?? {});
    if (segments.length === 0) cited.push(source);
    for (const segment of segments) cited.push({ ...source, ...places.find(segment) });
  });
  const citations = camelOf(candidate["citationMetadata"]);
  for (const citation of objectsOf(citations?.["citations"] ?? citations?.["citationSources"])) {
    cited.push({
      type: "source",
      choice,
      ...present({ url: textOf(citation["uri"]), title: textOf(citation["title"]) }),
      ...places.find(citation),
    });
  }
  return cited;
}

/** A chunk of the web, a map, a file store: whichever it is, it has a title and an address or a text. */
function readChunk(chunk: JsonObject, choice: number): SourceBlock {
  const [kind = {}] = Object.values(chunk).filter((value) => value !== undefined).map((value) =>
    objectOf(value) ?? {}
  );
  return {
    type: "source",
    choice,
    ...present({
      url: textOf(kind["uri"]) ?? textOf(kind["sourceUri"]),
      title: textOf(kind["title"]),
      citedText: textOf(kind["text"]),
    }),
  };
}

/** Writes sources as `groundingMetadata`. */
export function writeSources(
  sources: readonly SourceBlock[],
  texts: readonly string[],
): JsonObject {
  const text = texts.at(-1) ?? "";
  const supports: Json[] = [];
  const chunks = sources.map((source, at): JsonObject => {
    if (source.start !== undefined && source.end !== undefined) {
      supports.push({
        segment: {
          startIndex: Buffer.byteLength(text.slice(0, source.start)),
          endIndex: Buffer.byteLength(text.slice(0, source.end)),
          text: text.slice(source.start, source.end),
        },
        groundingChunkIndices: [at],
      });
    }
    const named = compact({ uri: source.url, title: source.title });
    return source.citedText === undefined
      ? { web: named }
      : { retrievedContext: { ...named, text: source.citedText } };
  });
  return {
    groundingChunks: chunks,
    ...(supports.length === 0 ? {} : { groundingSupports: supports }),
  };
}

/** Finds segments of one text. */
function createPlaces(text: string): {
  find(segment: JsonObject): { readonly start?: number; readonly end?: number };
} {
  const bytes = Buffer.from(text);
  const plain = bytes.length === text.length;
  const character = (byte: number): number =>
    plain ? Math.min(byte, text.length) : bytes.subarray(0, byte).toString().length;
  return {
    find(segment) {
      const endByte = numberOf(segment["endIndex"]);
      // An offset of zero is left out.
      const startByte = numberOf(segment["startIndex"]) ?? 0;
      const said = textOf(segment["text"]);
      if (endByte === undefined || endByte < startByte || startByte < 0) return {};
      const start = character(startByte);
      const end = character(endByte);
      if (said === undefined || text.slice(start, end) === said) return { start, end };
      // Segments of other parts, or of texts that were put together from a stream.
      const at = said === "" ? -1 : text.indexOf(said);
      return at < 0 ? {} : { start: at, end: at + said.length };
    },
  };
}
