import type { Block, JsonObject, SourceBlock } from "@vmx/core/contract";
import { readArguments } from "@vmx/core/kit";
import { imageFormat } from "./media.ts";
import { compact, ownNative } from "./read-json.ts";

/** Writes a block of an answer; undefined for what the dialect has no place for. Sources go with the text they cite. */
export function writeBlock(block: Block): JsonObject | undefined {
  switch (block.type) {
    case "text":
      return { ...ownNative(block), text: block.text };
    case "refusal":
      return { text: block.text };
    case "reasoning":
      return { reasoningContent: writeReasoning(block) };
    case "tool-call":
      return {
        toolUse: { ...writeCallHead(block), input: readArguments(block.arguments).input },
      };
    case "file": {
      const own = ownNative(block);
      if (own) return own;
      if (block.source.kind !== "base64") return undefined;
      const format = imageFormat(block.source.mediaType);
      return format === undefined
        ? undefined
        : { image: { format, source: { bytes: block.source.data } } };
    }
    case "native":
      return ownNative(block);
    case "source":
      return { citationsContent: { content: [], citations: [writeCitation(block)] } };
  }
}

/** A tool call without its arguments. */
export function writeCallHead(block: Extract<Block, { type: "tool-call" }>): JsonObject {
  const type = block.server ? { type: "server_tool_use" } : {};
  return { ...type, ...ownNative(block), toolUseId: block.id, name: block.name };
}

/** Writes a cited source. */
export function writeCitation(block: SourceBlock): JsonObject {
  const own = ownNative(block);
  if (own) return own;
  return compact({
    title: block.title,
    sourceContent: block.citedText === undefined ? undefined : [{ text: block.citedText }],
    location: block.url === undefined ? undefined : { web: { url: block.url } },
  });
}

function writeReasoning(block: Extract<Block, { type: "reasoning" }>): JsonObject {
  if (block.encrypted !== undefined && block.text === "") {
    return { redactedContent: block.encrypted };
  }
  return { reasoningText: compact({ text: block.text, signature: block.signature }) };
}
