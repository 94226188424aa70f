import type {
  Block,
  DecodeOptions,
  FinishPart,
  Json,
  JsonObject,
  SourceBlock,
  StreamPart,
  Warning,
} from "@vmx/core/contract";
import { mergeObjects } from "@vmx/core/kit";
import { readFinish, restOfCandidate } from "./answer-members.ts";
import { type AnswerPlace, readCall, readPart } from "./answer-parts.ts";
import { reasonName } from "./finish-reason.ts";
import { readSources } from "./grounding.ts";
import { joinLogprobs, logprobsOf, readLogprobs } from "./logprobs.ts";
import { createPartialArguments, type PartialArguments } from "./partial-arguments.ts";
import { camel, camelOf, listOf, objectsOf, ownNative, textOf } from "./read-json.ts";

/** Hands out block numbers and takes the parts of all candidates of one stream. */
export interface StreamOut {
  nextIndex(): number;
  emit(part: StreamPart): void;
  /** What was lost in reading. */
  readonly warnings: Warning[];
}

/** The state of one candidate of a stream. */
export interface StreamCandidate {
  /** Reads one element of a chunk's `candidates`. */
  read(candidate: JsonObject): void;
  /** Closes what is open and answers why the candidate ended; undefined when it has not. */
  finish(): FinishPart | undefined;
}

interface OpenText {
  readonly index: number;
  readonly block: Extract<Block, { type: "text" | "reasoning" }>;
}

interface OpenCall {
  readonly index: number;
  readonly pieces: PartialArguments;
}

/** Reads the chunks of one candidate. Sources count the characters of the whole text, so they come at the end. */
export function createStreamCandidate(
  place: AnswerPlace,
  options: DecodeOptions | undefined,
  out: StreamOut,
): StreamCandidate {
  const { choice } = place;
  const texts: string[] = [];
  let text: OpenText | undefined;
  let call: OpenCall | undefined;
  let calls = false;
  let said = false;
  let emptyText = false;
  let raw: string | undefined;
  let rest: Record<string, Json> = {};

  const open = (block: Block): number => {
    const index = out.nextIndex();
    said = true;
    out.emit({ type: "block-start", index, block });
    return index;
  };
  const close = (): void => {
    if (text) out.emit({ type: "block-end", index: text.index });
    text = undefined;
    if (!call) return;
    out.emit({ type: "block-delta", index: call.index, text: call.pieces.text() });
    out.emit({ type: "block-end", index: call.index });
    call = undefined;
  };
  const whole = (block: Block): void => {
    close();
    const index = open(block);
    out.emit({ type: "block-end", index });
  };

  const speak = (block: OpenText["block"], logprobs: Json[] | undefined): void => {
    if (text?.block.type !== block.type) {
      close();
      const { signature: _signature, ...bare } = block.type === "reasoning"
        ? block
        : { ...block, signature: undefined };
      text = { index: open({ ...bare, text: "" }), block };
      if (block.type === "text") texts.push("");
    }
    if (block.type === "text") texts.push((texts.pop() ?? "") + block.text);
    const signature = block.type === "reasoning" ? block.signature : undefined;
    if (block.text === "" && signature === undefined) return;
    out.emit({
      type: "block-delta",
      index: text.index,
      ...(block.text === "" ? {} : { text: block.text }),
      ...(signature === undefined ? {} : { signature }),
      ...(logprobs ? { logprobs } : {}),
    });
  };

  const startCall = (own: JsonObject, part: JsonObject): void => {
    const whole = own["willContinue"] !== true;
    const goesOn = call !== undefined && textOf(own["name"]) === undefined;
    if (!goesOn) {
      close();
      const { arguments: _arguments, ...block } = readCall(own, part, place, options);
      calls = true;
      call = {
        index: open({ ...block, arguments: "" }),
        pieces: createPartialArguments(camelOf(own["args"])),
      };
    }
    call?.pieces.add(own["partialArgs"]);
    if (whole) close();
  };

  const readContent = (part: JsonObject, logprobs: Json[] | undefined): boolean => {
    const own = camelOf(part["functionCall"]);
    if (own) {
      startCall(own, part);
      return false;
    }
    const blocks = readPart(part, place, options);
    if (blocks.length === 0) emptyText = true;
    let used = false;
    for (const block of blocks) {
      const thought = part["thought"] === true;
      if (block.type === "text" || (block.type === "reasoning" && thought)) {
        speak(block, used ? undefined : logprobs);
        used ||= block.type === "text";
      } else if (block.type === "reasoning") {
        // Whether the service put it into a part of its own depends on how it cut the stream.
        const { native: _native, ...bare } = block;
        whole(ownNative(block)?.["apart"] === true ? bare : block);
      } else whole(block);
    }
    return used;
  };

  return {
    read(candidate) {
      const { logprobsResult: told, ...others } = camel(candidate);
      let logprobs = readLogprobs(told);
      for (const part of objectsOf(camelOf(others["content"])?.["parts"])) {
        if (readContent(camel(part), logprobs)) logprobs = undefined;
      }
      rest = mergeCandidate(rest, restOfCandidate(others));
      const probabilities = logprobsOf({ logprobsResult: told });
      if (probabilities) {
        const before = logprobsOf(rest);
        rest["logprobsResult"] = joinLogprobs(before, probabilities);
      }
      // A service may think better of an end it has told: the last one stands.
      raw = reasonName(others["finishReason"]) ?? raw;
    },
    finish() {
      if (raw === undefined) return undefined;
      close();
      if (!said && emptyText) whole({ type: "text", choice, text: "" });
      for (const source of sources()) whole(source);
      return readFinish(raw, choice, calls, rest, out.warnings);
    },
  };

  function sources(): SourceBlock[] {
    return readSources(rest, texts, choice);
  }
}

/** Later members win; citations add up. */
function mergeCandidate(before: JsonObject, after: JsonObject): Record<string, Json> {
  const merged: Record<string, Json> = {};
  for (const [name, value] of Object.entries(mergeObjects(before, after))) {
    if (value !== undefined && value !== null) merged[name] = value;
  }
  const old = camelOf(before["citationMetadata"]);
  const more = camelOf(after["citationMetadata"]);
  if (!old || !more) return merged;
  for (const name of ["citations", "citationSources"]) {
    const all = [...listOf(old[name]), ...listOf(more[name])];
    if (all.length === 0) continue;
    const distinct = new Map(all.map((each) => [JSON.stringify(each), each]));
    merged["citationMetadata"] = { ...more, [name]: [...distinct.values()] };
  }
  return merged;
}
