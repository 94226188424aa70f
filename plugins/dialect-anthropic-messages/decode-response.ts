import type {
  Block,
  DecodeOptions,
  JsonObject,
  Operation,
  Part,
  SourceBlock,
  Translated,
  Warning,
} from "@vmx/core/contract";
import { answerMembersDropped } from "@vmx/core/kit";
import {
  checkAnswer,
  invalidAnswer,
  readFinish,
  readRest,
  readStart,
  readUsage,
} from "./answer-members.ts";
import { readStopReason } from "./finish-reason.ts";
import {
  compact,
  native,
  numberOf,
  objectOf,
  objectsOf,
  present,
  textOf,
  without,
} from "./read-json.ts";
import { answerForm, unwrapAnswer } from "./structured-output.ts";

/**
 * Reads a plain answer into Parts.
 *
 * Throws `upstream_invalid_response` when it has no content (or no count).
 */
export function decodeResponse(
  body: JsonObject,
  operation: Operation,
  options: DecodeOptions = {},
): Translated<readonly Part[]> {
  if (operation === "count-tokens") return { value: [readCount(body)], warnings: [] };
  checkAnswer(body);
  const blocks: Block[] = [];
  const losses: Warning[] = [];
  for (const block of objectsOf(body["content"])) {
    blocks.push(...readBlock(block, options));
    losses.push(...lossOfMembers(block));
  }
  const refusal = readRefusal(body, blocks);
  if (refusal) blocks.push(refusal);
  const usage = objectOf(body["usage"]);
  return {
    value: [
      readStart(body),
      ...blocks,
      ...(usage ? [readUsage(usage)] : []),
      readFinish(body, readRest(body), isUnwrapped(objectsOf(body["content"]))),
    ],
    warnings: [...losses, ...lossOfReason(body)],
  };
}

/** What is lost of a stop reason that is not one of the dialect's. */
export function lossOfReason(ended: JsonObject): Warning[] {
  const raw = textOf(ended["stop_reason"]);
  if (readStopReason(raw).known) return [];
  return [{
    code: "unknown_finish_reason",
    path: "/stop_reason",
    action: "approximated",
    detail: raw === undefined ? "The provider gave none" : raw.slice(0, 100),
  }];
}

/** The number a token count tells. Throws `upstream_invalid_response` when it tells none. */
export function readCount(body: JsonObject): Extract<Part, { type: "usage" }> {
  const count = numberOf(body["input_tokens"]);
  if (count === undefined) throw invalidAnswer('"input_tokens" is missing');
  const nothing = {
    inputCacheRead: null,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output: null,
    reasoning: null,
    audioInput: null,
    audioOutput: null,
  };
  return {
    type: "usage",
    tokens: { inputUncached: count, ...nothing, promptTotal: count },
    native: native(body),
  };
}

/** Whether the only tool called is the stand-in for a JSON answer. */
export function isUnwrapped(content: readonly JsonObject[]): boolean {
  const called = content.filter((block) => block["type"] === "tool_use");
  return called.length > 0 && called.every(({ name }) => answerForm(String(name)) !== undefined);
}

/** Members of a block that the canonical one holds itself. */
const members: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(["type", "text", "citations"]),
  thinking: new Set(["type", "thinking", "signature"]),
  redacted_thinking: new Set(["type", "data"]),
  tool_use: new Set(["type", "id", "name", "input"]),
  // The type tells the two kinds of server tools apart.
  server_tool_use: new Set(["id", "name", "input"]),
  mcp_tool_use: new Set(["id", "name", "input"]),
};

/** What of a block other dialects have no place for. Blocks of other kinds are left out whole. */
export function lossOfMembers(block: JsonObject): Warning[] {
  const type = textOf(block["type"]) ?? "";
  const known = /^(text|thinking|redacted_thinking|tool_use)$/.test(type)
    ? members[type]
    : undefined;
  return known ? answerMembersDropped(block, "/content", known, quiet) : [];
}

/** That the model itself called a tool tells nothing. */
const quiet = { caller: { type: "direct" } };

/** A block with empty text and arguments; what a stream opens it with. Undefined for kinds of this dialect only. */
export function readHead(block: JsonObject, options: DecodeOptions): Block | undefined {
  const type = textOf(block["type"]) ?? "";
  const rest = Object.hasOwn(members, type) ? without(block, members[type]!) : {};
  const kept = Object.keys(rest).length === 0 ? {} : { native: native(rest) };
  switch (type) {
    case "text":
      return { type: "text", choice: 0, text: "", ...kept };
    case "thinking":
      return {
        type: "reasoning",
        choice: 0,
        text: "",
        ...present({ signature: textOf(block["signature"]) || undefined }),
        ...kept,
      };
    case "redacted_thinking":
      return {
        type: "reasoning",
        choice: 0,
        text: "",
        ...present({ encrypted: textOf(block["data"]) }),
        ...kept,
      };
    case "tool_use": {
      const name = textOf(block["name"]) ?? "";
      if (answerForm(name)) return { type: "text", choice: 0, text: "" };
      return {
        type: "tool-call",
        choice: 0,
        id: textOf(block["id"]) ?? "",
        name: options.toolNames?.get(name) ?? name,
        arguments: "",
        ...kept,
      };
    }
    case "server_tool_use":
    case "mcp_tool_use":
      return {
        type: "tool-call",
        choice: 0,
        id: textOf(block["id"]) ?? "",
        name: textOf(block["name"]) ?? "",
        arguments: "",
        server: true,
        ...kept,
      };
    default:
      return undefined;
  }
}

/** A block only this dialect knows, whole. */
export function readNative(block: JsonObject): Block {
  return {
    type: "native",
    choice: 0,
    kind: textOf(block["type"]) ?? "unknown",
    native: native(block),
  };
}

/** The sources a text cites. They stand for the text as a whole. */
export function readSources(citations: readonly JsonObject[], textLength: number): SourceBlock[] {
  return citations.map((citation) => ({
    type: "source",
    choice: 0,
    ...present({
      url: textOf(citation["url"]),
      title: textOf(citation["title"]) ?? textOf(citation["document_title"]),
      citedText: textOf(citation["cited_text"]),
    }),
    start: 0,
    end: textLength,
    native: native(citation),
  }));
}

/** The JSON text of a tool's input; a stream without fragments opens with the whole input. */
export function inputText(block: JsonObject): string {
  return JSON.stringify(objectOf(block["input"]) ?? {});
}

/**
 * The refusal the provider explains, or a bare one where a refused answer says nothing at all: other dialects show
 * refusals by such a block.
 */
export function readRefusal(ended: JsonObject, blocks: readonly Block[]): Block | undefined {
  if (ended["stop_reason"] !== "refusal") return undefined;
  const explanation = textOf(objectOf(ended["stop_details"])?.["explanation"]);
  if (!explanation && blocks.some((block) => block.type === "text" && block.text !== "")) {
    return undefined;
  }
  return {
    type: "refusal",
    choice: 0,
    text: explanation || "The model declined to answer.",
    native: native(compact({ stop_details: ended["stop_details"] })),
  };
}

/** Reads a whole block, and the sources it cites. */
export function readBlock(block: JsonObject, options: DecodeOptions): Block[] {
  const head = readHead(block, options);
  if (!head) return [readNative(block)];
  switch (head.type) {
    case "text": {
      const form = answerForm(textOf(block["name"]) ?? "");
      if (form) {
        const text = inputText(block);
        return [{ ...head, text: form === "wrapped" ? unwrapAnswer(text) : text }];
      }
      const text = textOf(block["text"]) ?? "";
      return [{ ...head, text }, ...readSources(objectsOf(block["citations"]), text.length)];
    }
    case "reasoning":
      return [{ ...head, text: textOf(block["thinking"]) ?? "" }];
    case "tool-call":
      return [{ ...head, arguments: inputText(block) }];
    default:
      return [head];
  }
}
