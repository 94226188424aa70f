import type {
  AnswerFacts,
  Json,
  JsonObject,
  Tap,
  TapOptions,
  TapResult,
  Tokens,
} from "@vmx/core/contract";
import { createFrameSplitter, createFrameTextCounter, parseFrame } from "@vmx/core/kit";
import { readErrorBody } from "./errors.ts";
import { readStopReason } from "./finish-reason.ts";
import { compact, listOf, objectOf, present, textOf } from "./read-json.ts";
import { mergeTold, readTokens } from "./tokens.ts";

const none = new Uint8Array(0);
/** Members of deltas that carry what the caller is shown or charged for. */
const textMembers = ['text"', 'partial_json"', 'thinking"'];
const deltaEvents = ["event: content_block_delta", "event:content_block_delta"];

/**
 * Reads along a stream of message events. Once content has come, deltas are counted but no longer parsed.
 * A stream is complete when a stop reason and `message_stop` have come, and one message only.
 */
export function createTap(_options: TapOptions): Tap {
  const splitter = createFrameSplitter();
  const counter = createFrameTextCounter(textMembers);
  let content = false;
  let started = false;
  let stopped = false;
  let opened = false;
  let spliced = false;
  let insideOversize = false;
  let id: string | undefined;
  let model: string | undefined;
  let usage: Record<string, Json> = {};
  let counted = false;
  let finishRaw: string | undefined;
  let serviceTier: string | undefined;
  let error: TapResult["error"];

  /** Answers whether the event is the end marker. */
  const readEvent = (type: string, event: JsonObject): boolean => {
    if (type !== "error") started = true;
    switch (type) {
      case "message_start": {
        const message = objectOf(event["message"]) ?? {};
        // A retry spliced into the stream: what comes of it is no answer.
        spliced ||= opened && textOf(message["id"]) !== id;
        opened = true;
        id ??= textOf(message["id"]) || undefined;
        model ??= textOf(message["model"]) || undefined;
        usage = mergeTold(usage, compact(objectOf(message["usage"]) ?? {}));
        serviceTier = textOf(usage["service_tier"]);
        // Some services send a plain answer's content at once.
        if (listOf(message["content"]).length > 0) content = true;
        return false;
      }
      case "content_block_start":
        content ||= opensContent(objectOf(event["content_block"]) ?? {});
        return false;
      case "content_block_delta":
        content ||= growsContent(objectOf(event["delta"]) ?? {});
        return false;
      case "message_delta": {
        const later = objectOf(event["usage"]);
        if (later) {
          usage = mergeTold(usage, compact(later));
          counted = true;
        }
        finishRaw = textOf(objectOf(event["delta"])?.["stop_reason"]) ?? finishRaw;
        if (finishRaw !== undefined) content = true;
        return false;
      }
      case "message_stop":
        stopped = true;
        return true;
      case "error":
        error ??= readErrorBody(event) ??
          { message: "The provider reported an error without a message", recognised: false };
        return false;
      default:
        return false;
    }
  };

  /** Undefined for a frame that holds no event. */
  const readFrame = (bytes: Uint8Array): "forward" | "end" | undefined => {
    const frame = parseFrame(bytes);
    if (!frame) return undefined;
    const event = parse(frame.data);
    if (!event) return undefined;
    const type = textOf(event["type"]) ?? frame.event ?? "";
    return readEvent(type, event) ? "end" : "forward";
  };

  const isDelta = (text: string, from: number): boolean =>
    deltaEvents.some((start) => text.startsWith(start, from));

  const result = (forward: Uint8Array, endMarker?: Uint8Array, oversize?: boolean): TapResult => ({
    forward,
    content,
    started,
    ...(endMarker === undefined ? {} : { endMarker }),
    ...(error === undefined ? {} : { error }),
    ...(oversize ? { oversize } : {}),
  });

  /** A frame too large to be held tells no more than its text. */
  const readFragment = (text: string): void => {
    started = true;
    content = true;
    counter.count(text, 0, text.length);
  };

  const tokens = (): Tokens | undefined => {
    if (Object.keys(usage).length === 0) return undefined;
    const read = readTokens(usage);
    // Until the last event the output count is only a beginning.
    return counted ? read : { ...read, output: null, completionTotal: null };
  };

  return {
    push(chunk) {
      const { bytes, ends, oversize } = splitter.push(chunk);
      if (ends.length === 0) {
        if (bytes.length > 0) readFragment(latin1(bytes));
        insideOversize ||= oversize;
        return result(bytes, undefined, oversize);
      }
      const text = latin1(bytes);
      let endsAt = -1;
      let from = 0;
      for (const end of ends) {
        if (insideOversize) {
          readFragment(text.slice(0, end));
          insideOversize = false;
        } else {
          const delta = isDelta(text, from);
          const read = content && delta ? "forward" : readFrame(bytes.subarray(from, end));
          if (read === "end" && endsAt < 0) endsAt = from;
          if (content && (delta || !text.startsWith("event", from))) counter.count(text, from, end);
        }
        from = end;
      }
      return endsAt < 0 ? result(bytes) : result(bytes.subarray(0, endsAt), bytes.subarray(endsAt));
    },
    end() {
      const rest = splitter.end();
      if (rest.length === 0) return result(none);
      const read = insideOversize ? "forward" : readFrame(rest);
      if (read === "end") return result(none, rest);
      if (read === "forward") {
        const text = latin1(rest);
        counter.count(text, 0, text.length);
        return result(rest);
      }
      // A fragment is not sent; comments and line ends cut nothing.
      return result(isSilent(latin1(rest)) ? rest : none);
    },
    facts() {
      const facts: AnswerFacts = {
        ...present({
          id,
          model,
          tokens: tokens(),
          finish: finishRaw === undefined ? undefined : readStopReason(finishRaw).reason,
          finishRaw,
          serviceTier,
        }),
        estimatedOutputTokens: counter.tokens(),
      };
      return {
        ...facts,
        complete: error === undefined && !spliced && stopped && finishRaw !== undefined,
      };
    },
  };
}

/** Whether a block is content as soon as it opens: all but text and thinking that have said nothing yet. */
function opensContent(block: JsonObject): boolean {
  if (block["type"] === "text") return Boolean(block["text"]);
  if (block["type"] === "thinking") return Boolean(block["thinking"]);
  return textOf(block["type"]) !== undefined;
}

function growsContent(delta: JsonObject): boolean {
  return Boolean(delta["text"]) || Boolean(delta["thinking"]) || Boolean(delta["partial_json"]) ||
    delta["citation"] !== undefined;
}

/** Comments and line ends only, none of them cut off. */
function isSilent(text: string): boolean {
  return text.split(/\r\n|\n|\r/).every((line, at, lines) =>
    line === "" || (line.startsWith(":") && at < lines.length - 1)
  );
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function parse(text: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}
