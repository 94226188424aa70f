import type {
  AnswerFacts,
  Json,
  JsonObject,
  Tap,
  TapOptions,
  TapResult,
  Tokens,
} from "@vmx/core/contract";
import {
  createFrameSplitter,
  createFrameTextCounter,
  createMemberSearch,
  findMember,
  isObject,
  type MemberSearch,
  parseFrame,
} from "@vmx/core/kit";
import { readErrorMember } from "./errors.ts";
import { readFinishReason } from "./finish-reason.ts";
import { listOf, objectOf, textOf } from "./read-json.ts";
import { readTokens } from "./tokens.ts";

const none = new Uint8Array(0);
/** Frames up to this size are cheaper to read than to search; `data: [DONE]` is among them. */
const smallFrameBytes = 64;
/** Members that carry what the caller is shown or charged for, with their closing quotes. */
const textTails = [
  'content"',
  'arguments"',
  'reasoning_content"',
  'reasoning"',
  'refusal"',
  'transcript"',
] as const;
const finishTail = 'finish_reason"';
const usageTail = 'usage"';
const errorTail = 'error"';
const QUOTE = 34;
const LETTER_D = 100;
const OPEN_BRACE = 123;

type Verdict = "forward" | "drop" | "end";

/**
 * Reads along a stream of chat completion chunks. Until the first content each frame is parsed; from then on only
 * frames that can tell something (usage, a finish reason, an error, the end) are, and the rest is searched.
 *
 * A stream is complete when a choice has finished and `[DONE]` came. Services that never send `[DONE]` are
 * forgiven: then no text may have followed the last finish reason. `[DONE]` without any finish is no end.
 */
export function createTap(options: TapOptions): Tap {
  const splitter = createFrameSplitter();
  const counter = createFrameTextCounter(textTails);
  const search = createMemberSearch();
  let content = false;
  let started = false;
  let done = false;
  let finishes = 0;
  let textAfterFinish = false;
  let insideOversize = false;
  let fragmentTail = "";
  let toolCall = false;
  let refusal = false;
  let id: string | undefined;
  let model: string | undefined;
  let tokens: Tokens | undefined;
  let finishRaw: string | undefined;
  let serviceTier: string | undefined;
  let systemFingerprint: string | undefined;
  let error: TapResult["error"];

  const readChunk = (chunk: JsonObject): Verdict => {
    id ??= textOf(chunk["id"]) || undefined;
    model ??= textOf(chunk["model"]) || undefined;
    serviceTier = textOf(chunk["service_tier"]) ?? serviceTier;
    systemFingerprint = textOf(chunk["system_fingerprint"]) ?? systemFingerprint;
    const more = objectOf(chunk["x_groq"]);
    const usage = objectOf(chunk["usage"]) ?? objectOf(more?.["usage"]);
    if (usage) tokens = readTokens(usage);
    error ??= readErrorMember(chunk["error"]) ?? readErrorMember(more?.["error"]);
    if (!error) started = true;
    const choices = listOf(chunk["choices"]);
    for (const choice of choices) if (isObject(choice)) readChoice(choice);
    const usageOnly = isObject(chunk["usage"]) && Array.isArray(chunk["choices"]) &&
      choices.length === 0;
    return usageOnly && !options.keepUsage ? "drop" : "forward";
  };

  const readChoice = (choice: JsonObject): void => {
    const delta = objectOf(choice["delta"]) ?? objectOf(choice["message"]) ?? {};
    if (holdsContent(delta)) content = true;
    if (listOf(delta["tool_calls"]).length > 0 || isObject(delta["function_call"])) toolCall = true;
    if (textOf(delta["refusal"])) refusal = true;
    const raw = textOf(choice["finish_reason"]);
    if (raw === undefined) return;
    content = true;
    finishes++;
    textAfterFinish = false;
    finishRaw ??= raw;
  };

  const readFrame = (bytes: Uint8Array): Verdict | undefined => {
    const frame = parseFrame(bytes);
    if (!frame) return undefined;
    if (frame.data === "[DONE]") {
      done = true;
      started = true;
      return "end";
    }
    const value = parse(frame.data);
    if (value === undefined) return undefined;
    if (frame.event === "error" && isObject(value) && !isObject(value["error"])) {
      error ??= readErrorMember(value);
    }
    return isObject(value) ? readChunk(value) : "forward";
  };

  /** Whether the frame has to be parsed. `text` holds its bytes as Latin-1. */
  const tells = (text: string, from: number, end: number): boolean => {
    if (!content || end - from < smallFrameBytes) return true;
    if (text.charCodeAt(from) !== LETTER_D) return true;
    return valueOpens(search, text, finishTail, from, end, QUOTE) ||
      valueOpens(search, text, usageTail, from, end, OPEN_BRACE) ||
      valueOpens(search, text, errorTail, from, end, OPEN_BRACE) ||
      valueOpens(search, text, errorTail, from, end, QUOTE);
  };

  /** What can be learned of a frame that was too large to be held: no more than its finish. */
  const readFragment = (piece: string): void => {
    content = true;
    started = true;
    // The member may be torn between two pieces.
    const text = fragmentTail + piece;
    fragmentTail = text.slice(-smallFrameBytes);
    const finish = findMember(text, finishTail, 0, text.length);
    const close = text.indexOf('"', finish + 1);
    if (text.charCodeAt(finish) !== QUOTE || close < 0) return;
    finishes++;
    textAfterFinish = false;
    finishRaw ??= text.slice(finish + 1, close);
  };

  const result = (forward: Uint8Array, endMarker?: Uint8Array, oversize?: boolean): TapResult => ({
    forward,
    content,
    started,
    ...(endMarker === undefined ? {} : { endMarker }),
    ...(error === undefined ? {} : { error }),
    ...(oversize ? { oversize } : {}),
  });

  return {
    push(chunk) {
      const { bytes, ends, oversize } = splitter.push(chunk);
      if (ends.length === 0) {
        if (bytes.length > 0) readFragment(latin1(bytes));
        insideOversize ||= oversize;
        return result(bytes, undefined, oversize);
      }
      const text = latin1(bytes);
      const kept: Uint8Array[] = [];
      let keptFrom = 0;
      let endsAt = -1;
      let from = 0;
      for (const end of ends) {
        if (insideOversize) {
          readFragment(text.slice(0, end));
          insideOversize = false;
          fragmentTail = "";
        } else {
          const verdict = tells(text, from, end) ? readFrame(bytes.subarray(from, end)) : "forward";
          if (verdict === "drop") {
            kept.push(bytes.subarray(keptFrom, from));
            keptFrom = end;
          } else if (verdict === "end" && endsAt < 0) endsAt = from;
          if (content && counter.count(text, from, end)) {
            // The finish's own frame may carry the last text.
            if (!valueOpens(search, text, finishTail, from, end, QUOTE)) textAfterFinish = true;
          }
        }
        from = end;
      }
      if (endsAt < 0) {
        return result(concat(kept, bytes, keptFrom, bytes.length));
      }
      const markerFrom = Math.max(endsAt, keptFrom);
      return result(
        concat(kept, bytes, keptFrom, markerFrom),
        bytes.subarray(markerFrom),
      );
    },
    end() {
      const rest = splitter.end();
      if (rest.length === 0) return result(none);
      const verdict = insideOversize ? "forward" : readFrame(rest);
      if (verdict === "end") return result(none, rest);
      if (verdict === "forward") {
        const text = latin1(rest);
        counter.count(text, 0, text.length);
        return result(rest);
      }
      // A fragment is not sent; comments and line ends cut nothing.
      return result(verdict === undefined && isSilent(latin1(rest)) ? rest : none);
    },
    facts() {
      const finish = finishRaw === undefined
        ? undefined
        : readFinishReason(finishRaw, { toolCall, refusal }).reason;
      const facts: AnswerFacts = {
        ...(id === undefined ? {} : { id }),
        ...(model === undefined ? {} : { model }),
        ...(tokens === undefined ? {} : { tokens }),
        ...(finish === undefined ? {} : { finish }),
        ...(finishRaw === undefined ? {} : { finishRaw }),
        ...(serviceTier === undefined ? {} : { serviceTier }),
        ...(systemFingerprint === undefined ? {} : { systemFingerprint }),
        estimatedOutputTokens: counter.tokens(),
      };
      return {
        ...facts,
        complete: error === undefined && finishes > 0 && (done || !textAfterFinish),
      };
    },
  };
}

/** Whether a delta (or message) holds a content part: text, tool call, reasoning, refusal, audio or an image. */
export function holdsContent(delta: JsonObject): boolean {
  for (const name of ["content", "reasoning_content", "reasoning", "refusal"]) {
    const value = delta[name];
    if (typeof value === "string" ? value !== "" : listOf(value).length > 0) return true;
  }
  return isObject(delta["function_call"]) || isObject(delta["audio"]) ||
    listOf(delta["tool_calls"]).length > 0 || listOf(delta["images"]).length > 0 ||
    listOf(delta["executed_tools"]).length > 0 || listOf(delta["reasoning_details"]).length > 0;
}

/** Whether a member of the name has a value that begins with the character `first`. */
function valueOpens(
  search: MemberSearch,
  text: string,
  tail: string,
  from: number,
  end: number,
  first: number,
): boolean {
  let value = search.find(text, tail, from, end);
  while (value >= 0) {
    if (text.charCodeAt(value) === first) return true;
    value = search.find(text, tail, value, end);
  }
  return false;
}

/** Comments and line ends only, none of them cut off. */
function isSilent(text: string): boolean {
  return text.split(/\r\n|\n|\r/).every((line, at, lines) =>
    line === "" || (line.startsWith(":") && at < lines.length - 1)
  );
}

function concat(
  kept: readonly Uint8Array[],
  bytes: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  const rest = bytes.subarray(from, Math.max(from, to));
  if (kept.length === 0) return rest;
  const parts = [...kept, rest].filter((part) => part.length > 0);
  return parts.length === 0 ? none : parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
