import type { Json, JsonObject, Tap, TapOptions, TapResult } from "@vmx/core/contract";
import { createFrameSplitter, createFrameTextCounter, isObject, parseFrame } from "@vmx/core/kit";
import { listOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { readStreamError } from "./errors.ts";
import { eventName } from "./event-name.ts";
import { itemType } from "./items.ts";
import { createLargeFrameReader, readLargeFrame } from "./large-frames.ts";
import { responseFacts } from "./read-answer.ts";

const none = new Uint8Array(0);
const deltaEnd = ".delta";
/** What some services send behind the last event. */
const doneMarker = "data: [DONE]";

type Verdict = "forward" | "end";

/**
 * Reads along a stream of response events. Frames are told apart by their names; parsed are only the first, those
 * that can open the content, errors, and the last, which repeats the whole response. A last frame too large to be
 * held is searched for what it tells.
 */
export function createTap(_options: TapOptions): Tap {
  const splitter = createFrameSplitter();
  const counter = createFrameTextCounter(['delta"']);
  const large = createLargeFrameReader();
  let content = false;
  let started = false;
  let complete = false;
  let ending = false;
  let sequence = 0;
  let toolCall = false;
  let refusal = false;
  let facts: ReturnType<typeof responseFacts> = {};
  let error: TapResult["error"];

  const readEnd = (response: JsonObject | undefined): void => {
    if (!response) return;
    facts = { ...facts, ...responseFacts(response) };
    complete = true;
    content = true;
    started = true;
  };

  /** Takes a frame by its name. `read` parses its data; it is called where the name alone does not tell. */
  const take = (name: string | undefined, read: () => JsonObject | undefined): Verdict => {
    if (name === undefined) return "forward";
    sequence++;
    if (name.endsWith(deltaEnd)) {
      content = true;
      started = true;
      toolCall ||= name === "response.function_call_arguments.delta";
      refusal ||= name === "response.refusal.delta";
      return "forward";
    }
    switch (name) {
      case "response.completed":
      case "response.incomplete":
        readEnd(objectOf(read()?.["response"]));
        return complete ? "end" : "forward";
      case "response.failed":
      case "error": {
        const event = read();
        if (event) error ??= readStreamError(event);
        return "forward";
      }
      case "response.created": {
        const response = objectOf(read()?.["response"]);
        if (!response) return "forward";
        started = true;
        const { id, model } = responseFacts(response);
        facts = {
          ...facts,
          ...(id === undefined ? {} : { id }),
          ...(model === undefined ? {} : { model }),
        };
        return "forward";
      }
      case "response.output_item.added":
      case "response.output_item.done":
      case "response.content_part.done":
        if (!content) content = opensContent(name, read());
        started = true;
        return "forward";
      default:
        started ||= name.startsWith("response.");
        return "forward";
    }
  };

  const readFrame = (bytes: Uint8Array, text: string, from: number, end: number): Verdict => {
    if (text.startsWith(doneMarker, from)) return complete ? "end" : "forward";
    const name = eventName(text, from, end);
    if (name?.endsWith(deltaEnd)) counter.count(text, from, end);
    return take(name, () => parse(bytes));
  };

  /** What can be learned of a frame that was too large to be held, once it has passed. */
  const endLarge = (): void => {
    const frame = large.end();
    take(frame.name, () => undefined);
    if (frame.name === "response.completed" || frame.name === "response.incomplete") {
      facts = { ...facts, ...readLargeFrame(frame, { toolCall, refusal }) };
      complete = true;
    }
    content = true;
    started = true;
  };

  const result = (forward: Uint8Array, endMarker?: Uint8Array, oversize?: boolean): TapResult => ({
    forward,
    content,
    started,
    ...(endMarker === undefined ? {} : { endMarker }),
    ...(error === undefined ? {} : { error }),
    ...(oversize ? { oversize } : {}),
  });

  /**
   * Everything from the last event on is held until the upstream ends, whatever a service sends behind it, and
   * then answered as one end marker.
   */
  const held: Uint8Array[] = [];

  return {
    push(chunk) {
      const { bytes, ends, oversize } = splitter.push(chunk);
      if (ends.length === 0) {
        if (bytes.length > 0) large.add(latin1(bytes));
        if (!ending) return result(bytes, undefined, oversize);
        held.push(bytes);
        return result(none);
      }
      const text = latin1(bytes);
      let endsAt = ending ? 0 : -1;
      let from = 0;
      for (const end of ends) {
        if (large.isOpen()) {
          large.add(text.slice(from, end));
          endLarge();
        } else {
          const verdict = readFrame(bytes.subarray(from, end), text, from, end);
          if (verdict === "end" && endsAt < 0) endsAt = from;
        }
        from = end;
      }
      if (endsAt < 0) return result(bytes);
      ending = true;
      held.push(bytes.subarray(endsAt));
      return result(bytes.subarray(0, endsAt));
    },
    end() {
      const rest = splitter.end();
      // A frame that broke off while it was passed on in pieces.
      if (large.isOpen()) return result(rest);
      if (rest.length > 0) {
        const text = latin1(rest);
        const whole = parse(rest) !== undefined || isSilent(text) || text.startsWith(doneMarker);
        if (whole && !ending) ending = readFrame(rest, text, 0, text.length) === "end";
        // A fragment is not sent; comments and line ends cut nothing.
        if (whole && !ending) return result(rest);
        if (whole) held.push(rest);
      }
      return result(none, ending ? Buffer.concat(held) : undefined);
    },
    facts() {
      return {
        ...facts,
        sequence,
        estimatedOutputTokens: counter.tokens(),
        complete: error === undefined && complete,
      };
    },
  };
}

/** Whether the announcement or the end of an item or part shows content, where no delta did. */
function opensContent(name: string, event: JsonObject | undefined): boolean {
  const item = objectOf(event?.["item"]);
  if (!item) {
    const part = objectOf(event?.["part"]) ?? {};
    return Boolean(textOf(part["text"]) || textOf(part["refusal"]));
  }
  const type = itemType(item);
  if (type === "message") return listOf(item["content"]).length > 0;
  return type !== "reasoning" || name.endsWith(".done");
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

function parse(bytes: Uint8Array): JsonObject | undefined {
  const frame = parseFrame(bytes);
  if (!frame) return undefined;
  try {
    const value = JSON.parse(frame.data) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
