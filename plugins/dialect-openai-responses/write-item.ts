import type {
  AnswerContext,
  Block,
  Json,
  JsonObject,
  ReasoningBlock,
  SourceBlock,
  ToolCallBlock,
} from "@vmx/core/contract";
import { packReasoning } from "@vmx/core/kit";
import { compact, listOf, objectOf, restore, textOf } from "@vmx/dialect-openai-chat/read-json";
import { isAnnotation, type ItemGroup } from "./answer-items.ts";
import { ownNative } from "./native.ts";

/** Where an item stands and how far it has come. */
export interface ItemPlace {
  readonly outputIndex: number;
  readonly status: "completed" | "incomplete";
  readonly context: AnswerContext;
}

/** Writes one item. */
export function writeItem(group: ItemGroup, place: ItemPlace): JsonObject {
  const [first] = group.blocks;
  switch (group.kind) {
    case "message":
      return writeMessage(group.blocks, place);
    case "reasoning":
      return writeReasoning(first as ReasoningBlock, place);
    case "function":
      return writeCall(first as ToolCallBlock, place);
    case "search":
      return writeSearch(first as ToolCallBlock, place);
    case "image":
      return writeImage(first as Extract<Block, { type: "file" }>, place);
    case "verbatim":
      return compact(ownNative(first!) ?? {});
    case "lost":
      return {};
  }
}

/** The id of an item the gateway made; the same for the same request and place. */
export function itemId(prefix: string, { context, outputIndex }: ItemPlace): string {
  return `${prefix}_${idBase(context)}${outputIndex.toString(16).padStart(4, "0")}`;
}

/** The request's id without what ids of the dialect do not hold. */
export function idBase(context: AnswerContext): string {
  return context.requestId.replace(/[^A-Za-z0-9]/g, "");
}

function writeMessage(blocks: readonly Block[], place: ItemPlace): JsonObject {
  const own = objectOf(blocks.map((block) => ownNative(block)?.["item"]).find(Boolean));
  const content: Record<string, Json>[] = [];
  const early: Json[] = [];
  for (const block of blocks) {
    if (isAnnotation(block)) {
      const target = content.findLast((part) => part["annotations"])?.["annotations"];
      (Array.isArray(target) ? target as Json[] : early).push(writeAnnotation(block));
    } else content.push(writePart(block));
  }
  if (early.length > 0) {
    const text = content.find((part) => part["type"] === "output_text");
    if (text) text["annotations"] = [...early, ...listOf(text["annotations"])];
    else content.push({ type: "output_text", text: "", annotations: early, logprobs: [] });
  }
  return restore(
    {
      id: own?.["id"] ?? itemId("msg", place),
      type: "message",
      role: own?.["role"] ?? "assistant",
      status: own?.["status"] === null ? undefined : place.status,
      content,
    },
    own && compact({ ...own, status: undefined }),
    new Set(["type"]),
  );
}

/** Writes a text, a refusal or an unknown part, without annotations. */
export function writePart(block: Block): Record<string, Json> {
  const own = ownNative(block);
  const rest = objectOf(own?.["rest"]) ?? {};
  switch (block.type) {
    case "text": {
      const logprobs = block.logprobs ?? (own && own["logprobs"] !== true ? undefined : []);
      return compact({
        type: "output_text",
        text: block.text,
        annotations: own && own["annotations"] !== true ? undefined : [],
        logprobs,
        ...rest,
      });
    }
    case "refusal":
      return compact({ type: "refusal", refusal: block.text, ...rest });
    default:
      return compact(rest);
  }
}

/** Writes a cited source. Sources without an address are files by their titles. */
export function writeAnnotation(block: Block): JsonObject {
  const own = ownNative(block);
  if (own) return compact(own);
  const { url, title, citedText, start, end } = block as SourceBlock;
  const cited = citedText === undefined ? {} : { cited_text: citedText };
  if (url === undefined) {
    return {
      type: "file_citation",
      file_id: "",
      filename: title ?? "",
      index: start ?? 0,
      ...(end === undefined ? {} : { end_index: end }),
      ...cited,
    };
  }
  return {
    type: "url_citation",
    start_index: start ?? 0,
    end_index: end ?? 0,
    title: title ?? url,
    url,
    ...cited,
  };
}

/** Reasoning of other families is shown as a summary; what they signed is packed for the way back. */
function writeReasoning(block: ReasoningBlock, place: ItemPlace): JsonObject {
  const own = ownNative(block);
  const item = objectOf(own?.["item"]);
  if (item) return compact(item);
  const { signature, encrypted } = block;
  const { family } = place.context;
  const opaque = signature !== undefined || encrypted !== undefined;
  return compact({
    id: itemId("rs", place),
    type: "reasoning",
    summary: block.text === "" ? [] : [{ type: "summary_text", text: block.text }],
    encrypted_content: opaque && family !== undefined
      ? packReasoning({
        family,
        ...(signature === undefined ? {} : { signature }),
        ...(encrypted === undefined ? {} : { encrypted }),
      })
      : undefined,
  });
}

function writeCall(block: ToolCallBlock, place: ItemPlace): JsonObject {
  const own = ownNative(block);
  return restore(
    {
      id: own ? undefined : itemId("fc", place),
      type: "function_call",
      status: own ? undefined : place.status,
      arguments: block.arguments,
      call_id: block.id,
      name: block.name,
    },
    own,
    new Set(["arguments", "call_id", "name"]),
  );
}

function writeSearch(block: ToolCallBlock, place: ItemPlace): JsonObject {
  return {
    id: itemId("ws", place),
    type: "web_search_call",
    status: "completed",
    action: { type: "search", query: queryOf(block.arguments) },
  };
}

function queryOf(argumentText: string): string {
  try {
    return textOf(objectOf(JSON.parse(argumentText) as Json)?.["query"]) ?? "";
  } catch {
    // Arguments that are still incomplete tell no query.
    return "";
  }
}

function writeImage(block: Extract<Block, { type: "file" }>, place: ItemPlace): JsonObject {
  const result = block.source.kind === "base64" ? block.source.data : "";
  const own = ownNative(block);
  if (own) return compact({ ...own, result });
  return { id: itemId("ig", place), type: "image_generation_call", status: "completed", result };
}
