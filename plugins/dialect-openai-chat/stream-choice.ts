import type { Block, FinishPart, Json, JsonObject, StreamPart, Warning } from "@vmx/core/contract";
import { isObject, mergeObjects } from "@vmx/core/kit";
import {
  callSpelling,
  legacyCallId,
  readAnnotation,
  readFinish,
  readImage,
  without,
} from "./decode-response.ts";
import { compact, listOf, native, numberOf, objectOf, textOf } from "./read-json.ts";
import { findReasoning } from "./reasoning.ts";

/** Hands out block numbers and takes the parts of all choices of one stream. */
export interface StreamOut {
  nextIndex(): number;
  emit(part: StreamPart): void;
}

/** The state of one choice of a stream. */
export interface StreamChoice {
  /** Reads one element of a chunk's `choices`. */
  read(choice: JsonObject): void;
  /** Closes what is open and answers why the choice ended; undefined when it has not. */
  finish(): FinishPart | undefined;
}

type Spoken = Extract<Block, { type: "text" | "reasoning" | "refusal" }>;

interface OpenCall {
  readonly index: number;
  id: string;
  name: string;
  text: string;
  /** A custom tool's call, which is handed on whole because only this dialect has it. */
  custom?: JsonObject;
  /** True once the block has been opened, which takes its name. */
  opened: boolean;
  closed: boolean;
}

/**
 * Reads the deltas of one choice. Text, reasoning and refusal are closed when another kind begins, so blocks follow
 * each other; a tool call is closed when the next begins and its arguments are whole, else at the finish, because
 * services may interleave the fragments of parallel calls.
 */
export function createStreamChoice(choice: number, out: StreamOut): StreamChoice {
  let spoken: { readonly index: number; readonly type: Spoken["type"] } | undefined;
  let details: readonly Json[] = [];
  let audio: { readonly index: number; value: Record<string, Json> } | undefined;
  let emptyContent: Json | undefined;
  let raw: string | undefined;
  let finished = false;
  const seen: Block[] = [];
  const calls: OpenCall[] = [];
  const places = new Map<number, OpenCall>();
  let messageRest: JsonObject = {};
  let choiceRest: JsonObject = {};

  const open = (block: Block): number => {
    const index = out.nextIndex();
    seen.push(block);
    out.emit({ type: "block-start", index, block });
    return index;
  };
  const closeSpoken = (): void => {
    if (spoken) out.emit({ type: "block-end", index: spoken.index });
    spoken = undefined;
  };
  const closeCalls = (onlyWhole: boolean): void => {
    for (const call of calls) {
      if (call.custom && !call.closed && !onlyWhole) openCustom(call, call.custom);
      if (!call.opened || call.closed || (onlyWhole && !isWhole(call.text))) continue;
      call.closed = true;
      out.emit({ type: "block-end", index: call.index });
    }
  };
  const openCustom = (call: OpenCall, custom: JsonObject): void => {
    const value = { ...custom, id: call.id, custom: { name: call.name, input: call.text } };
    const block: Block = { type: "native", choice, kind: "tool-call", native: native(value) };
    call.opened = true;
    seen.push(block);
    out.emit({ type: "block-start", index: call.index, block });
  };
  const speak = (block: Spoken): number => {
    if (spoken?.type === block.type) return spoken.index;
    closeSpoken();
    spoken = { index: open(block), type: block.type };
    return spoken.index;
  };
  const whole = (block: Block): void => {
    closeSpoken();
    out.emit({ type: "block-end", index: open(block) });
  };

  const readReasoning = (delta: JsonObject): void => {
    const found = findReasoning(delta);
    if (!found) return;
    const { text, signature, encrypted, member } = found;
    const more = listOf(delta["reasoning_details"]);
    if (spoken?.type !== "reasoning") details = [];
    details = [...details, ...more];
    const index = speak({
      type: "reasoning",
      choice,
      text: "",
      native: native(compact({ member })),
    });
    out.emit({
      type: "block-delta",
      index,
      ...(text === "" ? {} : { text }),
      ...(signature === undefined ? {} : { signature }),
      ...(encrypted === undefined ? {} : { encrypted }),
      ...(more.length === 0 ? {} : { native: native(compact({ member, details })) }),
    });
  };

  const readText = (content: Json | undefined, logprobs: readonly Json[]): void => {
    if (typeof content === "string" && content !== "") {
      const index = speak({ type: "text", choice, text: "" });
      out.emit({
        type: "block-delta",
        index,
        text: content,
        ...(logprobs.length === 0 ? {} : { logprobs }),
      });
    } else if (Array.isArray(content)) {
      for (const part of content.filter(isObject)) {
        if (part["type"] === "text") readText(part["text"], []);
        else whole({ type: "native", choice, kind: "content", native: native(part) });
      }
    } else if (content !== undefined && emptyContent !== "") emptyContent = content;
  };

  const readAudio = (delta: JsonObject): void => {
    const grown: Record<string, Json> = { ...audio?.value };
    for (const [name, value] of Object.entries(compact(delta))) {
      const before = grown[name];
      // Sound and transcript come in pieces, everything else whole.
      grown[name] = (name === "data" || name === "transcript") && typeof before === "string" &&
          typeof value === "string"
        ? before + value
        : value;
    }
    if (!audio) {
      closeSpoken();
      const kept = native(grown);
      audio = {
        index: open({ type: "native", choice, kind: "audio", native: kept }),
        value: grown,
      };
      return;
    }
    audio.value = grown;
    out.emit({ type: "block-delta", index: audio.index, native: native(grown) });
  };

  const callFor = (delta: JsonObject): OpenCall => {
    const place = numberOf(delta["index"]);
    const id = textOf(delta["id"]);
    const name = textOf(objectOf(delta["function"])?.["name"]);
    const known = place === undefined
      ? calls.find((call) => id !== undefined && call.id === id) ??
        (id === undefined ? calls.at(-1) : undefined)
      : places.get(place);
    // Some services count every call as the first: a new id with a name is a new call.
    const renewed = known && id && known.id !== "" && id !== known.id && name;
    if (known && !renewed) return known;
    closeSpoken();
    closeCalls(true);
    const call = {
      index: out.nextIndex(),
      id: "",
      name: "",
      text: "",
      opened: false,
      closed: false,
    };
    calls.push(call);
    if (place !== undefined) places.set(place, call);
    return call;
  };

  const readCall = (delta: JsonObject): void => {
    const own = objectOf(delta["function"]);
    const custom = objectOf(delta["custom"]);
    const call = callFor(delta);
    if (custom && !call.custom) {
      const { index: _index, ...spelling } = delta;
      call.custom = spelling;
    }
    if (call.id === "") call.id = textOf(delta["id"]) ?? "";
    if (call.name === "") call.name = textOf((own ?? custom)?.["name"]) ?? "";
    growCall(
      call,
      textOf(own?.["arguments"]) ?? textOf(custom?.["input"]) ?? "",
      callSpelling(delta),
    );
  };

  const growCall = (call: OpenCall, fragment: string, original: JsonObject): void => {
    call.text += fragment;
    if (call.opened) {
      if (fragment !== "") out.emit({ type: "block-delta", index: call.index, text: fragment });
      return;
    }
    if (call.name === "" || call.custom) return;
    call.opened = true;
    const block: Block = {
      type: "tool-call",
      choice,
      id: call.id || `call_${choice}_${calls.indexOf(call)}`,
      name: call.name,
      arguments: "",
      native: native(original),
    };
    seen.push(block);
    out.emit({ type: "block-start", index: call.index, block });
    if (call.text !== "") out.emit({ type: "block-delta", index: call.index, text: call.text });
  };

  const readFunctionCall = (delta: JsonObject): void => {
    let call = calls.at(-1);
    if (!call) {
      closeSpoken();
      call = {
        index: out.nextIndex(),
        id: legacyCallId(choice),
        name: "",
        text: "",
        opened: false,
        closed: false,
      };
      calls.push(call);
    }
    if (call.name === "") call.name = textOf(delta["name"]) ?? "";
    growCall(call, textOf(delta["arguments"]) ?? "", {
      function_call: without(delta, ["name", "arguments"]),
    });
  };

  const readDelta = (delta: JsonObject, logprobs: readonly Json[]): void => {
    readReasoning(delta);
    readText(delta["content"], logprobs);
    const refusal = textOf(delta["refusal"]);
    if (refusal) {
      const index = speak({ type: "refusal", choice, text: "" });
      out.emit({ type: "block-delta", index, text: refusal });
    }
    if (isObject(delta["audio"])) readAudio(delta["audio"]);
    for (const image of listOf(delta["images"]).filter(isObject)) whole(readImage(image, choice));
    for (const note of listOf(delta["annotations"]).filter(isObject)) {
      // Sources cite the text that goes on around them.
      out.emit({ type: "block-end", index: open(readAnnotation(note, choice)) });
    }
    for (const call of listOf(delta["tool_calls"]).filter(isObject)) readCall(call);
    if (isObject(delta["function_call"])) readFunctionCall(delta["function_call"]);
    messageRest = mergeRest(messageRest, restOf(delta));
  };

  const close = (): void => {
    if (seen.length === 0 && emptyContent === "") {
      whole({ type: "text", choice, text: "" });
      emptyContent = undefined;
    }
    closeSpoken();
    for (const call of calls) if (!call.opened && !call.custom) call.closed = true;
    closeCalls(false);
    if (audio) out.emit({ type: "block-end", index: audio.index });
    audio = undefined;
  };

  return {
    read(element) {
      const delta = objectOf(element["delta"]) ?? objectOf(element["message"]) ?? {};
      const { index: _index, delta: _delta, message: _message, finish_reason, ...rest } = element;
      const { logprobs, ...others } = rest;
      const tokens = listOf(objectOf(logprobs)?.["content"]);
      readDelta(delta, tokens);
      choiceRest = mergeRest(choiceRest, {
        ...others,
        ...(logprobs === undefined
          ? {}
          : { logprobs: restOfLogprobs(logprobs, tokens, spoken?.type) }),
      });
      const word = textOf(finish_reason);
      if (word === undefined) return;
      raw ??= word;
      finished = true;
      close();
    },
    finish() {
      if (!finished) return undefined;
      close();
      const said = seen.some((block) => block.type === "text");
      const message = compact({
        ...messageRest,
        ...(said || emptyContent === undefined ? {} : { content: emptyContent }),
      });
      const warnings: Warning[] = [];
      return readFinish(raw, choice, seen, { choice: choiceRest, message }, warnings);
    },
  };
}

/** Members of a delta that gave no block. */
function restOf(delta: JsonObject): JsonObject {
  const { role, content: _content, ...rest } = delta;
  const out: Record<string, Json> = {};
  if (role !== undefined && role !== "assistant" && role !== "") out["role"] = role;
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    const isBlock = blockMembers.has(name) &&
      (Array.isArray(value) ? value.length > 0 : value !== null && value !== "");
    if (!isBlock) out[name] = value;
  }
  return out;
}

const blockMembers: ReadonlySet<string> = new Set([
  "reasoning_content",
  "reasoning",
  "reasoning_details",
  "refusal",
  "audio",
  "images",
  "annotations",
  "tool_calls",
  "function_call",
]);

/** Later values win over earlier ones, but a null never does; lists grow. */
function mergeRest(before: JsonObject, after: JsonObject): JsonObject {
  const names = Object.keys(after);
  if (names.length === 0) return before;
  const out: Record<string, Json | undefined> = { ...before };
  for (const name of names) {
    const value = after[name];
    const old = out[name];
    if (value === undefined || (value === null && old !== undefined)) continue;
    out[name] = Array.isArray(old) && Array.isArray(value)
      ? [...old as Json[], ...value as Json[]]
      : isObject(old) && isObject(value)
      ? mergeObjects(old, value)
      : value;
  }
  return out;
}

function restOfLogprobs(
  logprobs: Json,
  tokens: readonly Json[],
  spoken: Spoken["type"] | undefined,
): Json {
  if (!isObject(logprobs) || tokens.length === 0 || spoken !== "text") return logprobs;
  const { content: _content, ...rest } = logprobs;
  return rest;
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
