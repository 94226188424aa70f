import type {
  CacheMark,
  ContentPart,
  Json,
  JsonObject,
  ReasoningContent,
  TextContent,
  ToolCallContent,
  ToolResultContent,
} from "@vmx/core/contract";
import { type NameAlphabet, spellName } from "@vmx/core/kit";
import { systemText } from "./decode-content.ts";
import { type EncodeContext, refuse } from "./encode-context.ts";
import { encodeFile, encodeImage } from "./encode-media.ts";
import { objectOf, ownNative, restore } from "./read-json.ts";

/** Names of tools and ids of their calls (API reference, `ToolUseBlock`). */
export const wireNames: NameAlphabet = { forbidden: /[^a-zA-Z0-9_-]/g, maxLength: 64 };

/** Writes the parts of a turn, each with its cache point. Blank texts are left out: the service refuses them. */
export function encodeParts(
  parts: readonly ContentPart[],
  path: string,
  context: EncodeContext,
): JsonObject[] {
  const blocks: JsonObject[] = [];
  parts.forEach((part, at) => {
    const place = part.path ?? `${path}/content/${at}`;
    const block = encodePart(part, place, context);
    if (block) blocks.push(block);
    if (part.cache) placeMark(blocks, encodeMark(part.cache, place, context), place, context);
  });
  return blocks;
}

/**
 * Puts a cache point where the service takes one: behind a block of the same turn, never behind reasoning, and not
 * right behind a document that is turned into text (its refusals name these cases).
 */
function placeMark(
  blocks: JsonObject[],
  point: readonly JsonObject[],
  path: string,
  { warnings }: EncodeContext,
): void {
  if (point.length === 0) return;
  let at = blocks.length;
  while (at > 0 && blocks[at - 1]?.["reasoningContent"] !== undefined) at--;
  const last = blocks[at - 1];
  if (!last) {
    warnings.push({ code: "cache_control_dropped", path, action: "dropped" });
    return;
  }
  const document = objectOf(last["document"]);
  const breaks = document && document["format"] !== "pdf" ? [{ text: "\n" }] : [];
  // A point that stands there already caches the same.
  if (last["cachePoint"] === undefined) blocks.splice(at, 0, ...breaks, ...point);
}

/** Writes a mark as a cache point, where the model takes one. */
export function encodeMark(
  mark: CacheMark,
  path: string,
  { profile, warnings }: EncodeContext,
  taken = profile.cachePoints,
): JsonObject[] {
  if (!taken) {
    warnings.push({ code: "cache_control_dropped", path, action: "dropped" });
    return [];
  }
  const { ttl } = mark;
  if (ttl !== undefined && ttl !== "5m" && !profile.cacheTtl) {
    warnings.push({
      code: "cache_control_approximated",
      path,
      action: "approximated",
      detail: `The model has no lifetime "${ttl}"`,
    });
  }
  const lifetime = ttl === undefined || !profile.cacheTtl ? {} : { ttl };
  return [{ cachePoint: { type: "default", ...lifetime } }];
}

/** Writes a text in its own spelling, unless it was changed since. */
export function encodeText(part: Pick<TextContent, "text" | "native">): JsonObject {
  const own = ownNative(part);
  if (!own) return { text: part.text };
  const said = own["json"] === undefined ? systemText(own) : JSON.stringify(own["json"]);
  if (said === part.text) return own;
  return own["text"] === undefined ? { text: part.text } : { ...own, text: part.text };
}

/** Models refuse texts of white space alone; where the caller wrote for this service, he knows better. */
function isBlank(part: TextContent): boolean {
  return part.text === "" || (part.text.trim() === "" && !ownNative(part));
}

function encodePart(
  part: ContentPart,
  path: string,
  context: EncodeContext,
): JsonObject | undefined {
  switch (part.type) {
    case "text":
      return isBlank(part) ? undefined : encodeText(part);
    case "refusal":
      return part.text.trim() === "" ? undefined : { text: part.text };
    case "image":
      return encodeImage(part, path, context);
    case "file":
      return encodeFile(part, path, context);
    case "reasoning":
      return encodeReasoning(part, path, context);
    case "tool-call":
      return encodeCall(part, context);
    case "tool-result":
      return encodeResult(part, path, context);
    case "audio":
      return ownNative(part) ?? refuse("audio", path);
    case "native":
      return ownNative(part) ?? refuse(`content of the kind "${part.kind}"`, path);
  }
}

function encodeReasoning(
  part: ReasoningContent,
  path: string,
  context: EncodeContext,
): JsonObject | undefined {
  const own = ownNative(part);
  const opaque = part.signature !== undefined || part.encrypted !== undefined;
  const allowed = part.family === undefined ? own !== undefined : part.family === context.family;
  if (!allowed || (!opaque && !own)) {
    context.warnings.push({
      code: "reasoning_dropped",
      path,
      action: "dropped",
      detail: allowed
        ? "The service takes no reasoning without its signature"
        : "The reasoning belongs to another provider",
    });
    return undefined;
  }
  if (own) return own;
  if (part.encrypted !== undefined) {
    return { reasoningContent: { redactedContent: part.encrypted } };
  }
  const signed = part.signature === undefined ? {} : { signature: part.signature };
  return { reasoningContent: { reasoningText: { text: part.text, ...signed } } };
}

function encodeCall(part: ToolCallContent, { toolNames }: EncodeContext): JsonObject {
  const own = objectOf(ownNative(part)?.["toolUse"]);
  return {
    toolUse: restore({
      toolUseId: spellName(part.id, wireNames),
      name: toolNames.toWire(part.name),
      input: part.input,
    }, own),
  };
}

function encodeResult(
  part: ToolResultContent,
  path: string,
  context: EncodeContext,
): JsonObject {
  const own = objectOf(ownNative(part)?.["toolResult"]);
  const content: Json[] = [];
  part.content.forEach((each, at) => {
    const block = encodeResultPart(each, each.path ?? `${path}/content/${at}`, context);
    if (block) content.push(block);
  });
  // A result must hold something, and blank texts are refused.
  if (content.length === 0 && !own) content.push({ text: "(empty)" });
  const status = part.isError === undefined ? undefined : part.isError ? "error" : own && "success";
  return {
    toolResult: restore({ toolUseId: spellName(part.callId, wireNames), content, status }, own),
  };
}

function encodeResultPart(
  part: ToolResultContent["content"][number],
  path: string,
  context: EncodeContext,
): JsonObject | undefined {
  switch (part.type) {
    case "text":
      return isBlank(part) ? undefined : encodeText(part);
    case "image":
      return encodeImage(part, path, context);
    case "file":
      return encodeFile(part, path, context);
    case "native": {
      const own = ownNative(part);
      if (own) return own;
      context.warnings.push({
        code: "tool_result_part_dropped",
        path,
        action: "dropped",
        detail: `The service takes no content of the kind "${part.kind}"`,
      });
      return { text: `[${part.kind} left out]` };
    }
  }
}
