import type { Block, FinishPart, Json, JsonObject, StreamPart, Warning } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { readAnnotation, readFinish, readImage } from "./decode-response.ts";
import { compact, listOf, native, objectOf, objectsOf, textOf } from "./read-json.ts";
import { findReasoning } from "./reasoning.ts";
import { createStreamCalls } from "./stream-calls.ts";
import { addRestOf, addRestOfChoice } from "./stream-rest.ts";

/** Hands out block numbers and takes the parts of all choices of one stream. */
export interface StreamOut {
  nextIndex(): number;
  emit(part: StreamPart): void;
  /** What was lost in reading. */
  readonly warnings: Warning[];
}

/** The state of one choice of a stream. */
export interface StreamChoice {
  /** Reads one element of a chunk's `choices`. */
  read(choice: JsonObject): void;
  /** Closes what is open and answers why the choice ended; undefined when it has not. */
  finish(): FinishPart | undefined;
}

type Spoken = Extract<Block, { type: "text" | "reasoning" | "refusal" }>;

/**
 * Reads the deltas of one choice. Text, reasoning and refusal are closed when another kind begins, so blocks follow
 * each other.
 */
export function createStreamChoice(choice: number, out: StreamOut): StreamChoice {
  let spoken: { readonly index: number; readonly type: Spoken["type"] } | undefined;
  let details: readonly Json[] = [];
  let audio: { readonly index: number; value: Record<string, Json> } | undefined;
  let emptyContent: Json | undefined;
  let raw: string | undefined;
  let finished = false;
  const seen: Block[] = [];
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
  const calls = createStreamCalls(choice, {
    nextIndex: () => {
      closeSpoken();
      return out.nextIndex();
    },
    begin: (index, block) => {
      seen.push(block);
      out.emit({ type: "block-start", index, block });
    },
    emit: (part) => out.emit(part),
  });
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

  const readDelta = (delta: JsonObject, logprobs: readonly Json[]): void => {
    readReasoning(delta);
    readText(delta["content"], logprobs);
    const refusal = textOf(delta["refusal"]);
    if (refusal) {
      const index = speak({ type: "refusal", choice, text: "" });
      out.emit({ type: "block-delta", index, text: refusal });
    }
    if (isObject(delta["audio"])) readAudio(delta["audio"]);
    for (const image of objectsOf(delta["images"])) whole(readImage(image, choice));
    for (const note of objectsOf(delta["annotations"])) {
      // Sources cite the text that goes on around them.
      out.emit({ type: "block-end", index: open(readAnnotation(note, choice)) });
    }
    for (const call of objectsOf(delta["tool_calls"])) calls.read(call);
    if (isObject(delta["function_call"])) calls.readLegacy(delta["function_call"]);
    messageRest = addRestOf(messageRest, delta);
  };

  const close = (): void => {
    if (seen.length === 0 && emptyContent === "") {
      whole({ type: "text", choice, text: "" });
      emptyContent = undefined;
    }
    closeSpoken();
    calls.close();
    if (audio) out.emit({ type: "block-end", index: audio.index });
    audio = undefined;
  };

  return {
    read(element) {
      const delta = objectOf(element["delta"]) ?? objectOf(element["message"]) ?? {};
      const tokens = listOf(objectOf(element["logprobs"])?.["content"]);
      readDelta(delta, tokens);
      choiceRest = addRestOfChoice(choiceRest, element, tokens, spoken?.type);
      const word = textOf(element["finish_reason"]);
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
      return readFinish(raw, choice, seen, { choice: choiceRest, message }, out.warnings);
    },
  };
}
