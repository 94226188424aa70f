import {
  type DecodeOptions,
  type Frame,
  GatewayError,
  type Json,
  type JsonObject,
  type StreamDecoder,
  type StreamPart,
  type Warning,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { listOf, numberOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { readFinish, readStart, readUsage, withCallersName } from "./decode-response.ts";
import { readStreamError } from "./errors.ts";
import { native } from "./native.ts";
import { isRepeated } from "./repeated-events.ts";
import { createItemReader, type ItemReader } from "./stream-items.ts";

/**
 * Reads a streamed answer. Texts and arguments come by deltas; what a service leaves out on the way is taken from
 * the events that repeat a part, an item or the whole response at its end.
 *
 * `push` throws `upstream_invalid_response` for data that is not JSON, `end` when neither `response.completed` nor
 * `response.incomplete` nor an error has come.
 */
export function createStreamDecoder(options: DecodeOptions = {}): StreamDecoder {
  const items = new Map<number, ItemReader>();
  const ids = new Map<string, number>();
  const warnings: Warning[] = [];
  const unread = new Set<string>();
  let out: StreamPart[] = [];
  let blocks = 0;
  let started = false;
  let ended = false;

  const emit = (part: StreamPart): void => {
    out.push(
      part.type === "block-start" ? { ...part, block: withCallersName(part.block, options) } : part,
    );
  };
  const nextIndex = (): number => blocks++;

  /** The item an event speaks of. A service that skipped its announcement is forgiven. */
  const itemOf = (event: JsonObject, type: string): ItemReader => {
    const id = textOf(event["item_id"]);
    const index = numberOf(event["output_index"]) ?? (id === undefined ? undefined : ids.get(id)) ??
      Math.max(0, ...items.keys());
    return items.get(index) ?? announce(index, { type, ...(id === undefined ? {} : { id }) });
  };
  const announce = (index: number, item: JsonObject): ItemReader => {
    const reader = createItemReader(item, emit, nextIndex);
    items.set(index, reader);
    const id = textOf(item["id"]);
    if (id !== undefined) ids.set(id, index);
    return reader;
  };
  const place = (event: JsonObject): number => numberOf(event["output_index"]) ?? items.size;

  const finish = (response: JsonObject): void => {
    const output = listOf(response["output"]).filter(isObject);
    output.forEach((item, index) => (items.get(index) ?? announce(index, item)).done(item));
    for (const reader of items.values()) reader.close();
    const usage = readUsage(response);
    if (usage) emit(usage);
    const seen = output.length > 0 ? output : [...items.values()].map((reader) => reader.item());
    emit(readFinish(response, seen, warnings));
    ended = true;
  };

  const fail = (event: JsonObject): void => {
    const { status, code, type, message } = readStreamError(event);
    const word = code ?? type ?? undefined;
    emit({
      type: "error",
      ...(status === undefined ? {} : { status }),
      ...(word === undefined ? {} : { code: word }),
      message,
      native: native(event),
    });
    ended = true;
  };

  /** Notes an event nobody reads, once for each kind of it. */
  const skip = (type: string): void => {
    if (isRepeated(type) || unread.has(type)) return;
    unread.add(type);
    const detail = type.slice(0, 100);
    warnings.push({ code: "answer_part_dropped", path: "/output", action: "dropped", detail });
  };

  const read = (type: string, event: JsonObject): void => {
    const response = objectOf(event["response"]);
    if (!started && response && type !== "response.failed") {
      started = true;
      emit(readStart(response));
    }
    const delta = textOf(event["delta"]) ?? "";
    const at = numberOf(event["content_index"]) ?? 0;
    switch (type) {
      case "response.completed":
      case "response.incomplete":
        return finish(response ?? {});
      case "response.failed":
      case "error":
        return fail(event);
      case "response.output_item.added":
        announce(place(event), objectOf(event["item"]) ?? {}).begin();
        return;
      case "response.output_item.done": {
        const item = objectOf(event["item"]) ?? {};
        const index = numberOf(event["output_index"]) ?? ids.get(textOf(item["id"]) ?? "") ??
          items.size;
        return (items.get(index) ?? announce(index, item)).done(item);
      }
      case "response.content_part.added":
        return itemOf(event, "message").partAdded(at, objectOf(event["part"]) ?? {});
      case "response.content_part.done":
        return itemOf(event, "message").partDone(at, objectOf(event["part"]) ?? {});
      case "response.output_text.delta":
        return itemOf(event, "message").text(at, delta, listOf(event["logprobs"]));
      case "response.output_text.done":
        return itemOf(event, "message").textDone(
          at,
          textOf(event["text"]) ?? "",
          listOf(event["logprobs"]),
        );
      case "response.output_text.annotation.added": {
        const annotation = objectOf(event["annotation"]);
        if (annotation) itemOf(event, "message").annotation(at, annotation);
        return;
      }
      case "response.refusal.delta":
        return itemOf(event, "message").refusal(at, delta);
      case "response.function_call_arguments.delta":
        return itemOf(event, "function_call").arguments(delta);
      case "response.reasoning_summary_text.delta":
        return itemOf(event, "reasoning").reasoning(
          "summary",
          numberOf(event["summary_index"]) ?? 0,
          delta,
        );
      case "response.reasoning_text.delta":
        return itemOf(event, "reasoning").reasoning("content", at, delta);
      default:
        return skip(type);
    }
  };

  return {
    warnings,
    push(frame) {
      if (ended || frame.data === "[DONE]") return [];
      const event = parse(frame);
      out = [];
      read(textOf(event["type"]) ?? frame.event ?? "", event);
      return out;
    },
    end() {
      if (ended) return [];
      throw new GatewayError(
        "upstream_invalid_response",
        "Cannot read the provider's stream: it ended without response.completed",
      );
    },
  };
}

function parse(frame: Frame): JsonObject {
  try {
    const value = JSON.parse(frame.data) as Json;
    return isObject(value) ? value : {};
  } catch (cause) {
    throw new GatewayError(
      "upstream_invalid_response",
      `Cannot read the provider's stream: the data of an event "${frame.event ?? ""}" is not JSON`,
      { cause },
    );
  }
}
