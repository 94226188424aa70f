import type {
  AnswerContext,
  Block,
  JsonObject,
  ReasoningBlock,
  SourceBlock,
  ToolCallBlock,
} from "@vmx/core/contract";
import { packReasoning } from "@vmx/core/kit";
import { compact, ownFamily, ownNative, textOf } from "./read-json.ts";

/** The opaque members reasoning ends with: a signature, or the data of redacted thinking. */
export type Seal = { readonly signature: string } | { readonly data: string };

/**
 * Writes what proves reasoning to its provider. Another family's proof is packed with the family's name, so that it
 * comes back with the conversation and goes to no other; reasoning without one gets an empty signature, which the
 * shape demands. Undefined for reasoning that holds nothing at all.
 */
export function sealReasoning(
  { text, signature, encrypted }: Pick<ReasoningBlock, "text" | "signature" | "encrypted">,
  context: AnswerContext,
): Seal | undefined {
  const family = context.family ?? ownFamily;
  if (signature === undefined && encrypted === undefined) {
    return text === "" ? undefined : { signature: "" };
  }
  if (family !== ownFamily) {
    const packed = packReasoning({
      family,
      ...(signature === undefined ? {} : { signature }),
      ...(encrypted === undefined ? {} : { encrypted }),
    });
    return text === "" ? { data: packed } : { signature: packed };
  }
  return signature === undefined && text === ""
    ? { data: encrypted! }
    : { signature: signature ?? "" };
}

/** Writes a tool call without its input; undefined for one another family's servers run. */
export function writeCallHead(block: ToolCallBlock): JsonObject | undefined {
  const own = ownNative(block);
  if (block.server && !own) return undefined;
  return { type: "tool_use", ...own, id: block.id, name: block.name };
}

/** Writes a cited source as a citation: of the web where it has an address, else of a document. */
export function writeCitation(block: SourceBlock): JsonObject {
  const own = ownNative(block);
  if (own) return compact(own);
  const cited = block.citedText ?? "";
  if (block.url !== undefined) {
    return {
      type: "web_search_result_location",
      url: block.url,
      title: block.title ?? null,
      cited_text: cited,
      encrypted_index: "",
    };
  }
  return {
    type: "char_location",
    cited_text: cited,
    document_index: 0,
    document_title: block.title ?? null,
    // Where it stands there is not known.
    start_char_index: 0,
    end_char_index: 0,
    file_id: null,
  };
}

/** A block only this dialect knows, as it came; undefined for those of others. */
export function ownBlock(block: Block): JsonObject | undefined {
  return block.type === "native" ? ownNative(block) : undefined;
}

/** The text a block shows: refusals are shown as text, with the stop reason beside it. */
export function shownText(block: Block): string | undefined {
  if (block.type === "text") return block.text;
  // What the provider explains stands with the stop reason.
  if (block.type === "refusal") return ownNative(block) ? undefined : block.text;
  return undefined;
}

/** Members of a text or reasoning block the provider added. */
export function ownMembers(block: Block): JsonObject {
  const own = block.type === "native" ? undefined : ownNative(block);
  return own && textOf(own["type"]) === undefined ? own : {};
}
