import type { Json, JsonObject, Operation, Translated, Warning } from "@vmx/core/contract";
import {
  isObject,
  isPackedReasoning,
  spellName,
  stripSignature,
  unpackReasoning,
} from "@vmx/core/kit";
import { nameAlphabet } from "./encode-context.ts";
import { listOf, objectsOf, pointer, textOf } from "./read-json.ts";

/**
 * Takes out what answers of other families left in the conversation and the provider would refuse: thinking with a
 * packed or empty signature, citations without a proof, call ids in another alphabet or with a signature inside.
 * Thinking the leg's own family made is unpacked. A message that held nothing else goes with its thinking.
 */
export function withoutMarks(
  body: JsonObject,
  _operation: Operation,
  family?: string,
): Translated<JsonObject> {
  const warnings: Warning[] = [];
  const messages: Json[] = [];
  let changed = false;
  listOf(body["messages"]).forEach((message, at) => {
    const content = isObject(message) ? message["content"] : undefined;
    if (!isObject(message) || !Array.isArray(content)) {
      messages.push(message);
      return;
    }
    const blocks = content as readonly Json[];
    const kept: Json[] = [];
    blocks.forEach((block, place) => {
      const clean = isObject(block)
        ? cleanBlock(block, family, pointer("messages", at, "content", place), warnings)
        : block;
      if (clean !== undefined) kept.push(clean);
    });
    if (kept.length === blocks.length && kept.every((block, place) => block === blocks[place])) {
      messages.push(message);
      return;
    }
    changed = true;
    if (kept.length > 0) messages.push({ ...message, content: kept });
  });
  return changed ? { value: { ...body, messages }, warnings } : { value: body, warnings: [] };
}

/** The block itself when nothing is wrong with it; undefined when it cannot stay. */
function cleanBlock(
  block: JsonObject,
  family: string | undefined,
  path: string,
  warnings: Warning[],
): JsonObject | undefined {
  switch (block["type"]) {
    case "thinking":
    case "redacted_thinking":
      return cleanThinking(block, family, path, warnings);
    case "text":
      return cleanText(block, path, warnings);
    case "tool_use":
      return cleanId(block, "id");
    case "tool_result":
      return cleanId(block, "tool_use_id");
    default:
      return block;
  }
}

function cleanThinking(
  block: JsonObject,
  family: string | undefined,
  path: string,
  warnings: Warning[],
): JsonObject | undefined {
  const opaque = textOf(block["signature"]) ?? textOf(block["data"]);
  if (opaque !== "" && !isPackedReasoning(opaque)) return block;
  const packed = opaque ? unpackReasoning(opaque) : undefined;
  if (packed && packed.family === family) {
    const text = textOf(block["thinking"]) ?? "";
    return packed.signature === undefined && packed.encrypted !== undefined
      ? { type: "redacted_thinking", data: packed.encrypted }
      : { type: "thinking", thinking: text, signature: packed.signature ?? "" };
  }
  warnings.push({
    code: "reasoning_dropped",
    path,
    action: "dropped",
    detail: "The reasoning belongs to another provider",
  });
  return undefined;
}

function cleanText(block: JsonObject, path: string, warnings: Warning[]): JsonObject {
  const citations = objectsOf(block["citations"]);
  const kept = citations.filter((citation) => !isUnproven(citation));
  if (kept.length === citations.length) return block;
  warnings.push({
    code: "citation_dropped",
    path: path + pointer("citations"),
    action: "dropped",
    detail: "The citation comes from another provider",
  });
  const { citations: _citations, ...rest } = block;
  return kept.length === 0 ? rest : { ...rest, citations: kept };
}

/** How `writeCitation` writes what another family cited: without a proof, or a place of no length. */
function isUnproven(citation: JsonObject): boolean {
  return citation["type"] === "web_search_result_location"
    ? citation["encrypted_index"] === ""
    : citation["type"] === "char_location" && citation["end_char_index"] === 0;
}

function cleanId(block: JsonObject, member: string): JsonObject {
  const id = textOf(block[member]);
  if (id === undefined) return block;
  const clean = spellName(stripSignature(id), nameAlphabet);
  return clean === id ? block : { ...block, [member]: clean };
}
