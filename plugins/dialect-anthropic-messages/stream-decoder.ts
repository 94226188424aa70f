import {
  type Block,
  type DecodeOptions,
  type Frame,
  type Json,
  type JsonObject,
  type StreamDecoder,
  type StreamPart,
  type Warning,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { invalidAnswer, readFinish, readRest, readStart, readUsage } from "./answer-members.ts";
import {
  inputText,
  lossOfMembers,
  lossOfReason,
  readBlock,
  readHead,
  readNative,
  readRefusal,
  readSources,
} from "./decode-response.ts";
import { droppedPart } from "./encode-response.ts";
import { readErrorBody } from "./errors.ts";
import { compact, native, numberOf, objectOf, objectsOf, textOf } from "./read-json.ts";
import { answerForm, unwrapAnswer } from "./structured-output.ts";
import { mergeTold } from "./tokens.ts";

interface OpenBlock {
  /** The index among the Parts; undefined for blocks that are told when they are whole. */
  readonly index: number | undefined;
  readonly head: Block | undefined;
  wire: JsonObject;
  /** Text, or the JSON of an input, as far as it has come. */
  text: string;
  citations: JsonObject[];
  readonly form: "whole" | "wrapped" | undefined;
}

/**
 * Reads a stream of message events. Usage and finish are told at `message_stop`, without which the stream is cut
 * off; counts of later events stand over those of earlier ones. Sources follow the text that cites them.
 */
export function streamDecoder(options: DecodeOptions = {}): StreamDecoder {
  let out: StreamPart[] = [];
  let nextIndex = 0;
  let started = false;
  let failed = false;
  let stopped = false;
  let message: JsonObject = {};
  let usage: Record<string, Json> | undefined;
  let ended: Record<string, Json> = {};
  let rest: Record<string, Json> = {};
  let calls = 0;
  let answers = 0;
  const blocks: Block[] = [];
  const warnings: Warning[] = [];
  const open = new Map<number, OpenBlock>();

  const start = (): void => {
    if (started) return;
    started = true;
    out.push(readStart(message));
  };

  const emitWhole = (block: Block): void => {
    const index = nextIndex++;
    blocks.push(block);
    out.push({ type: "block-start", index, block }, { type: "block-end", index });
  };

  const openBlock = (at: number, wire: JsonObject): void => {
    const head = readHead(wire, options);
    const form = wire["type"] === "tool_use" ? answerForm(String(wire["name"])) : undefined;
    if (wire["type"] === "tool_use") calls++;
    if (form) answers++;
    const streams = head !== undefined && form !== "wrapped";
    const index = streams ? nextIndex++ : undefined;
    const entry: OpenBlock = { index, head, wire, text: "", citations: [], form };
    open.set(at, entry);
    warnings.push(...lossOfMembers(wire));
    if (head && index !== undefined) out.push({ type: "block-start", index, block: head });
    const text = textOf(wire["text"]) ?? textOf(wire["thinking"]);
    if (text && head) grow(entry, text);
    if (Array.isArray(wire["citations"])) {
      entry.citations.push(...(wire["citations"] as readonly unknown[]).filter(isObject));
    }
  };

  const grow = (entry: OpenBlock, text: string): void => {
    if (text === "") return;
    entry.text += text;
    if (entry.index !== undefined) out.push({ type: "block-delta", index: entry.index, text });
  };

  /** Notes an event or a delta nobody reads, once for each kind of it. */
  const skip = (type: string): void => {
    const detail = type.slice(0, 100);
    if (warnings.some((warning) => warning.detail === detail)) return;
    warnings.push(droppedPart("/content", detail));
  };

  const readDelta = (entry: OpenBlock, delta: JsonObject): void => {
    switch (delta["type"]) {
      case "text_delta":
        return grow(entry, textOf(delta["text"]) ?? "");
      case "thinking_delta":
        return grow(entry, textOf(delta["thinking"]) ?? "");
      case "input_json_delta":
        return grow(entry, textOf(delta["partial_json"]) ?? "");
      case "signature_delta": {
        const signature = textOf(delta["signature"]);
        if (!signature || entry.index === undefined) return;
        out.push({ type: "block-delta", index: entry.index, signature });
        return;
      }
      case "citations_delta": {
        const citation = objectOf(delta["citation"]);
        if (citation) entry.citations.push(citation);
        return;
      }
      default: {
        const { type, ...members } = delta;
        entry.wire = { ...entry.wire, ...members };
        // What only this dialect has is told when it is whole; of all others this is lost.
        if (entry.head) skip(textOf(type) ?? "delta");
      }
    }
  };

  const closeBlock = (at: number): void => {
    const entry = open.get(at);
    if (!entry) return;
    open.delete(at);
    const { head, index, wire, form } = entry;
    if (!head) {
      // Fragments of an input that only this dialect has.
      const input = entry.text === "" ? undefined : parseObject(entry.text);
      emitWhole(readNative(input ? { ...wire, input } : wire));
      return;
    }
    const isCall = head.type === "tool-call" || form !== undefined;
    if (isCall && entry.text === "") grow(entry, inputText(wire));
    if (form === "wrapped") {
      emitWhole({ type: "text", choice: 0, text: unwrapAnswer(entry.text) });
      return;
    }
    if (index === undefined) return;
    blocks.push(head.type === "text" ? { ...head, text: entry.text } : head);
    out.push({ type: "block-end", index });
    for (const source of readSources(entry.citations, entry.text.length)) emitWhole(source);
  };

  const stop = (): void => {
    for (const at of [...open.keys()]) closeBlock(at);
    if (textOf(ended["stop_reason"]) === undefined) {
      throw invalidAnswer("the stream ended without a stop reason");
    }
    stopped = true;
    start();
    const refusal = readRefusal(ended, blocks);
    if (refusal) emitWhole(refusal);
    warnings.push(...lossOfReason(ended));
    if (usage) out.push(readUsage(usage));
    out.push(readFinish(ended, rest, calls > 0 && calls === answers));
  };

  const fail = (event: JsonObject): void => {
    const error = readErrorBody(event);
    failed = true;
    out.push({
      type: "error",
      message: error?.message ?? "The provider reported an error without a message",
      ...(error?.status === undefined ? {} : { status: error.status }),
      ...(error?.code || error?.type ? { code: error.code || error.type! } : {}),
      native: native(event),
    });
  };

  const readEvent = (event: JsonObject): void => {
    const at = numberOf(event["index"]) ?? 0;
    switch (event["type"]) {
      case "message_start": {
        const opening = objectOf(event["message"]) ?? {};
        if (started) {
          // Some services send the opening twice; another one means that a retry was spliced in.
          if (opening["id"] !== undefined && opening["id"] === message["id"]) return;
          throw invalidAnswer("a second message began inside the stream");
        }
        message = opening;
        usage = isObject(message["usage"]) ? compact(message["usage"]) : undefined;
        rest = readRest(message);
        start();
        // Services that run tools can open with content that is whole already.
        for (const block of objectsOf(message["content"])) {
          if (block["type"] === "tool_use") calls++;
          warnings.push(...lossOfMembers(block));
          for (const read of readBlock(block, options)) emitWhole(read);
        }
        return;
      }
      case "content_block_start":
        start();
        return openBlock(at, objectOf(event["content_block"]) ?? {});
      case "content_block_delta": {
        const entry = open.get(at);
        if (entry) readDelta(entry, objectOf(event["delta"]) ?? {});
        return;
      }
      case "content_block_stop":
        return closeBlock(at);
      case "message_delta": {
        const { type: _type, delta, usage: counted, ...top } = event;
        ended = mergeTold(ended, compact(objectOf(delta) ?? {}));
        rest = mergeTold(mergeTold(rest, readRest(objectOf(delta) ?? {})), compact(top));
        if (isObject(counted)) usage = mergeTold(usage ?? {}, compact(counted));
        return;
      }
      case "message_stop":
        return stop();
      case "error":
        return fail(event);
      case "ping":
        return;
      default:
        skip(textOf(event["type"]) ?? "event");
    }
  };

  const take = (): StreamPart[] => {
    const parts = out;
    out = [];
    return parts;
  };

  return {
    warnings,
    push(frame) {
      if (failed || stopped) return [];
      readEvent(parseEvent(frame));
      return take();
    },
    end() {
      if (!failed && !stopped) throw invalidAnswer("the stream ended before message_stop");
      return take();
    },
  };
}

function parseEvent(frame: Frame): JsonObject {
  let event: unknown;
  try {
    event = JSON.parse(frame.data);
  } catch (cause) {
    throw invalidAnswer("an event of the stream is not JSON", cause);
  }
  if (!isObject(event)) throw invalidAnswer("an event of the stream is not an object");
  if (event["type"] !== undefined) return event;
  return frame.event === undefined ? event : { ...event, type: frame.event };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}
