import {
  type Block,
  type DecodeOptions,
  type FinishPart,
  type Json,
  type JsonObject,
  type Operation,
  type Part,
  type Translated,
  type Warning,
} from "@vmx/core/contract";
import { isObject, toldMembers } from "@vmx/core/kit";
import { compactPart, readExtras, readStart, readUsage } from "./answer-members.ts";
import { decodeVectors } from "./embeddings.ts";
import { readFinishReason } from "./finish-reason.ts";
import { readUrl } from "./media.ts";
import {
  compact,
  listOf,
  native,
  numberOf,
  objectOf,
  ownNative,
  pointer,
  textOf,
} from "./read-json.ts";
import { checkAnswer } from "./read-answer.ts";
import { findReasoning } from "./reasoning.ts";

/**
 * Reads a plain answer into Parts. What a choice holds beyond them is kept with its finish, so that an answer to
 * a caller of this dialect loses nothing.
 *
 * Throws `upstream_invalid_response` when there are no choices (or vectors).
 */
export function decodeResponse(
  body: JsonObject,
  operation: Operation,
  options: DecodeOptions = {},
): Translated<readonly Part[]> {
  if (operation === "embeddings") return { value: decodeVectors(body), warnings: [] };
  const choices = checkAnswer(body, operation);
  const warnings: Warning[] = [];
  const blocks: Block[] = [];
  const finishes: FinishPart[] = [];
  choices.forEach((choice, at) => {
    const index = numberOf(choice["index"]) ?? at;
    const message = objectOf(choice["message"]);
    const read = message ? readMessage(message, index) : { blocks: [], rest: undefined };
    const logprobs = readLogprobs(choice["logprobs"], read.blocks);
    blocks.push(...logprobs.blocks);
    warnings.push(...logprobs.blocks.flatMap(lossOfMembers));
    const raw = textOf(choice["finish_reason"]);
    const rest = without(choice, [
      "index",
      "message",
      "logprobs",
      // A reason that is not a word is kept as it stands.
      ...(raw === undefined ? [] : ["finish_reason"]),
    ]);
    finishes.push(readFinish(
      raw,
      index,
      logprobs.blocks,
      compact({
        choice: compact({ ...rest, logprobs: logprobs.rest }),
        message: read.rest,
      }),
      warnings,
    ));
  });
  const usage = objectOf(body["usage"]);
  return {
    value: [
      readStart(body, readExtras(body)),
      ...blocks.map((block) => withCallersName(block, options)),
      ...(usage ? [readUsage(usage)] : []),
      ...finishes,
    ],
    warnings,
  };
}

const textMembers = ["type", "text"];
const callMembers = ["type", "function", "function_call"];

/** What of a text or a call no other dialect has a place for, such as the signatures some services put beside calls. */
export function lossOfMembers(block: Block): Warning[] {
  const own = ownNative(block);
  if (!own || (block.type !== "text" && block.type !== "tool-call")) return [];
  const inside = objectOf(own["function"]) ?? objectOf(own["function_call"]) ?? {};
  const rest = { ...inside, ...without(own, block.type === "text" ? textMembers : callMembers) };
  return Object.keys(toldMembers(rest) ?? {}).map((name) => ({
    code: "answer_member_dropped",
    path: pointer("choices", block.choice, "message"),
    action: "dropped",
    detail: name,
  }));
}

/** Names a tool call as the caller named the tool. */
export function withCallersName(block: Block, { toolNames }: DecodeOptions): Block {
  const name = block.type === "tool-call" ? toolNames?.get(block.name) : undefined;
  return name === undefined ? block : { ...block, name } as Block;
}

/** Reads why a choice ended. `rest` is what has no place elsewhere. */
export function readFinish(
  raw: string | undefined,
  choice: number,
  blocks: readonly Block[],
  rest: JsonObject,
  warnings: Warning[],
): FinishPart {
  const { reason, known } = readFinishReason(raw, {
    toolCall: blocks.some((block) => block.type === "tool-call"),
    refusal: blocks.some((block) => block.type === "refusal"),
  });
  if (!known) {
    warnings.push({
      code: "unknown_finish_reason",
      path: pointer("choices", choice, "finish_reason"),
      action: "approximated",
      detail: raw === undefined ? "The provider gave none" : raw.slice(0, 100),
    });
  }
  return compactPart<FinishPart>({
    type: "finish",
    choice,
    reason,
    raw,
    stopSequence: undefined,
    extras: toldMembers({ ...objectOf(rest["message"]), ...objectOf(rest["choice"]) }),
    native: native(rest),
  });
}

/** A copy without the members named. */
export function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

interface ReadMessage {
  readonly blocks: readonly Block[];
  /** Members that gave no block. */
  readonly rest: JsonObject;
}

function readMessage(message: JsonObject, choice: number): ReadMessage {
  const blocks: Block[] = [];
  const rest: Record<string, Json | undefined> = { ...message };
  if (rest["role"] === "assistant") delete rest["role"];
  const reasoning = findReasoning(message);
  if (reasoning) {
    const { member, family: _family, ...found } = reasoning;
    const details = message["reasoning_details"];
    blocks.push({
      type: "reasoning",
      choice,
      ...found,
      native: native(compact({ member, details })),
    });
    if (member !== undefined) delete rest[member];
    delete rest["reasoning_details"];
  }
  const content = readContent(message["content"], choice);
  if (content.length > 0) delete rest["content"];
  blocks.push(...content);
  const refusal = textOf(message["refusal"]);
  if (refusal) {
    blocks.push({ type: "refusal", choice, text: refusal });
    delete rest["refusal"];
  }
  const audio = objectOf(message["audio"]);
  if (audio) {
    blocks.push({ type: "native", choice, kind: "audio", native: native(audio) });
    delete rest["audio"];
  }
  for (const [name, read] of Object.entries(listMembers)) {
    const items = listOf(message[name]).filter(isObject);
    if (items.length === 0) continue;
    blocks.push(...items.map((item, at) => read(item, choice, at)));
    delete rest[name];
  }
  const call = objectOf(message["function_call"]);
  if (call) {
    blocks.push({
      type: "tool-call",
      choice,
      id: legacyCallId(choice),
      name: textOf(call["name"]) ?? "",
      arguments: textOf(call["arguments"]) ?? "",
      native: native({ function_call: without(call, ["name", "arguments"]) }),
    });
    delete rest["function_call"];
  }
  // Empty text is a block only where nothing else was said.
  if (blocks.length === 0 && message["content"] === "") {
    blocks.push({ type: "text", choice, text: "" });
    delete rest["content"];
  }
  return { blocks, rest: compact(rest) };
}

/** The id of a call in the legacy form, which has none of its own. */
export function legacyCallId(choice: number): string {
  return `call_function_${choice}`;
}

/** Members of a message that hold lists of blocks, in the order their blocks take. */
const listMembers: Readonly<
  Record<string, (item: JsonObject, choice: number, at: number) => Block>
> = { images: readImage, annotations: readAnnotation, tool_calls: readCall };

function readContent(content: Json | undefined, choice: number): Block[] {
  if (typeof content === "string") {
    return content === "" ? [] : [{ type: "text", choice, text: content }];
  }
  return listOf(content).filter(isObject).map((part): Block =>
    part["type"] === "text" && typeof part["text"] === "string"
      ? { type: "text", choice, text: part["text"], native: native(part) }
      : { type: "native", choice, kind: "content", native: native(part) }
  );
}

/** Reads an annotation; kinds without a canonical form stay as they are. */
export function readAnnotation(annotation: JsonObject, choice: number): Block {
  const citation = objectOf(annotation["url_citation"]);
  if (!citation) return { type: "native", choice, kind: "annotation", native: native(annotation) };
  return compactPart<Extract<Block, { type: "source" }>>({
    type: "source",
    choice,
    url: textOf(citation["url"]),
    title: textOf(citation["title"]),
    citedText: textOf(citation["cited_text"]),
    start: numberOf(citation["start_index"]),
    end: numberOf(citation["end_index"]),
    native: native(annotation),
  });
}

/** Reads an image the model made, as OpenRouter and its like answer it. */
export function readImage(image: JsonObject, choice: number): Block {
  const url = textOf(objectOf(image["image_url"])?.["url"]);
  return url === undefined
    ? { type: "native", choice, kind: "image", native: native(image) }
    : { type: "file", choice, source: readUrl(url), native: native(image) };
}

function readCall(call: JsonObject, choice: number, at: number): Block {
  const own = objectOf(call["function"]);
  if (!own) return { type: "native", choice, kind: "tool-call", native: native(call) };
  return {
    type: "tool-call",
    choice,
    id: textOf(call["id"]) || `call_${choice}_${at}`,
    name: textOf(own["name"]) ?? "",
    arguments: textOf(own["arguments"]) ?? "",
    native: native(callSpelling(call)),
  };
}

/** What a call's block does not hold itself: its type and members of the provider's own. */
export function callSpelling(call: JsonObject): JsonObject {
  const own = objectOf(call["function"]);
  return {
    ...without(call, ["index", "id"]),
    ...(own ? { function: without(own, ["name", "arguments"]) } : {}),
  };
}

/** Gives the log probabilities of the text to its block; `rest` is what has no block. */
function readLogprobs(
  logprobs: Json | undefined,
  blocks: readonly Block[],
): { readonly blocks: readonly Block[]; readonly rest: Json | undefined } {
  const tokens = objectOf(logprobs)?.["content"];
  const at = blocks.findIndex((block) => block.type === "text");
  const block = blocks[at];
  if (!isObject(logprobs) || !Array.isArray(tokens) || block?.type !== "text") {
    return { blocks, rest: logprobs };
  }
  const { content: _content, ...rest } = logprobs;
  return { blocks: blocks.with(at, { ...block, logprobs: tokens }), rest };
}
