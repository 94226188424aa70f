import type { Block, DecodeOptions, Json, JsonObject, MediaSource } from "@vmx/core/contract";
import { isObject, readArguments } from "@vmx/core/kit";
import { makeCallId, packCallId, unpackCallId } from "./call-id.ts";
import { camel, camelOf, compact, native, ownNative, textOf, without } from "./read-json.ts";

const spokenMembers = new Set(["text", "thought", "thoughtSignature"]);
const callPartMembers = new Set(["functionCall", "thoughtSignature"]);
const callMembers = new Set(["id", "name", "args", "partialArgs", "willContinue"]);

/** Where a part of an answer stands; the ids of calls without one come from it. */
export interface AnswerPlace {
  readonly answerId: string | undefined;
  readonly choice: number;
  /** The number of the next call. */
  call: number;
}

/** Reads one part of an answer's content as blocks. A signature on a text is a reasoning block of its own. */
export function readPart(
  original: JsonObject,
  place: AnswerPlace,
  options: DecodeOptions | undefined,
): Block[] {
  const part = camel(original);
  const { choice } = place;
  const signature = textOf(part["thoughtSignature"]);
  const text = textOf(part["text"]);
  if (text !== undefined) {
    const kept = keep(without(part, spokenMembers));
    const signed = signature === undefined ? {} : { signature };
    if (part["thought"] === true) return [{ type: "reasoning", choice, text, ...signed, ...kept }];
    const blocks: Block[] = text === "" ? [] : [{ type: "text", choice, text, ...kept }];
    if (signature !== undefined) {
      const apart = text === "" ? { native: native({ apart: true }) } : {};
      blocks.push({ type: "reasoning", choice, text: "", signature, ...apart });
    }
    return blocks;
  }
  const call = camelOf(part["functionCall"]);
  if (call) return [readCall(call, part, place, options)];
  const [kind = "unknown"] = Object.keys(part).filter((name) => name !== "thoughtSignature");
  const source = readSource(part);
  return source
    ? [{ type: "file", choice, source, native: native(part) }]
    : [{ type: "native", choice, kind, native: native(part) }];
}

/** Reads a call; its arguments may still be on their way. */
export function readCall(
  call: JsonObject,
  part: JsonObject,
  place: AnswerPlace,
  options: DecodeOptions | undefined,
): Extract<Block, { type: "tool-call" }> {
  const name = textOf(call["name"]) ?? "";
  // Without the answer's id, only what is asked for tells calls of different answers apart.
  const told = place.answerId ?? JSON.stringify(call["args"] ?? {});
  const id = textOf(call["id"]) || makeCallId(told, place.choice, place.call++, name);
  const rest = {
    ...without(part, callPartMembers),
    ...nonEmpty("functionCall", without(call, callMembers)),
  };
  return {
    type: "tool-call",
    choice: place.choice,
    id: packCallId(id, textOf(part["thoughtSignature"])),
    name: options?.toolNames?.get(name) ?? name,
    arguments: JSON.stringify(isObject(call["args"]) ? call["args"] : {}),
    ...keep(rest),
  };
}

/** Writes a block as a part; undefined for one that has no place among the parts, and for parts of others. */
export function writePart(block: Block): Record<string, Json> | undefined {
  const own = ownNative(block);
  switch (block.type) {
    case "text":
      return { text: block.text, ...own };
    case "refusal":
      return { text: block.text };
    case "reasoning":
      return compact({
        ...(own?.["apart"] === true ? {} : own),
        text: block.text,
        thought: block.text === "" && block.signature !== undefined ? undefined : true,
        thoughtSignature: block.signature,
      });
    case "tool-call": {
      if (block.server) return undefined;
      const { id, signature } = unpackCallId(block.id);
      return compact({
        ...own,
        functionCall: compact({
          ...camelOf(own?.["functionCall"]),
          id,
          name: block.name,
          args: readArguments(block.arguments).input,
        }),
        thoughtSignature: signature,
      });
    }
    case "file":
      return own ? compact(own) : writeSource(block.source);
    case "native":
      return own && compact(own);
    case "source":
      return undefined;
  }
}

/** Whether a signature belongs to the text before it, and not into a part of its own. */
export function signsText(block: Block): boolean {
  return block.type === "reasoning" && block.text === "" && block.signature !== undefined &&
    ownNative(block)?.["apart"] !== true;
}

function readSource(part: JsonObject): MediaSource | undefined {
  const inline = camelOf(part["inlineData"]);
  const file = camelOf(part["fileData"]);
  const mediaType = textOf((inline ?? file)?.["mimeType"]);
  const data = textOf(inline?.["data"]);
  const url = textOf(file?.["fileUri"]);
  if (data !== undefined) {
    return { kind: "base64", mediaType: mediaType ?? "application/octet-stream", data };
  }
  if (url === undefined) return undefined;
  return { kind: "url", url, ...(mediaType === undefined ? {} : { mediaType }) };
}

function writeSource(source: MediaSource): Record<string, Json> | undefined {
  switch (source.kind) {
    case "base64":
      return { inlineData: { mimeType: source.mediaType, data: source.data } };
    case "url":
      return { fileData: compact({ mimeType: source.mediaType, fileUri: source.url }) };
    case "text":
      return { text: source.text };
    case "id":
      return undefined;
  }
}

function keep(rest: JsonObject): { readonly native?: ReturnType<typeof native> } {
  return Object.keys(rest).length === 0 ? {} : { native: native(rest) };
}

function nonEmpty(name: string, value: JsonObject): JsonObject {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}
