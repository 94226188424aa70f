import {
  type DecodeOptions,
  type Frame,
  GatewayError,
  type Json,
  type JsonObject,
  type StreamDecoder,
  type StreamPart,
  type UsagePart,
  type Warning,
} from "@vmx/core/contract";
import { isObject, toldMembers } from "@vmx/core/kit";
import { noExtras, readExtras, readStart, readUsage } from "./answer-members.ts";
import { lossOfMembers, withCallersName, without } from "./decode-response.ts";
import { readErrorMember } from "./errors.ts";
import { compact, native, numberOf, objectOf, objectsOf, ownNative, textOf } from "./read-json.ts";
import { createStreamChoice, type StreamChoice } from "./stream-choice.ts";

/**
 * Reads a stream of chunks. Usage follows the finish on the wire and comes before it here, as in a plain answer, so
 * finishes are held until the stream ends. The stream is whole when every choice that was seen has a finish reason;
 * `[DONE]` alone does not make it so, and its absence is forgiven.
 */
export function streamDecoder(options: DecodeOptions = {}): StreamDecoder {
  let out: StreamPart[] = [];
  let blocks = 0;
  let started = false;
  let failed = false;
  let ended = false;
  let head: JsonObject = {};
  let extras: Record<string, Json> = {};
  /** What of them the start told; services repeat it with every chunk. */
  let atStart: JsonObject = {};
  let usage: UsagePart | undefined;
  const choices = new Map<number, StreamChoice>();
  const warnings: Warning[] = [];
  const target = {
    warnings,
    nextIndex: () => blocks++,
    emit: (part: StreamPart) => {
      if (part.type === "block-start") warnings.push(...lossOfMembers(part.block));
      out.push(
        part.type === "block-start"
          ? { ...part, block: withCallersName(part.block, options) }
          : part,
      );
    },
  };

  const start = (): void => {
    if (started) return;
    started = true;
    out.push(readStart(head, extras));
    atStart = extras;
    extras = {};
  };

  const fail = (error: JsonObject | string, event: JsonObject): void => {
    const read = readErrorMember(error)!;
    failed = true;
    start();
    out.push({
      type: "error",
      message: read.message,
      ...(read.status === undefined ? {} : { status: read.status }),
      ...(read.code ? { code: read.code } : {}),
      native: native(event),
    });
  };

  const readChunk = (chunk: JsonObject): void => {
    for (const name of headMembers) {
      const value = chunk[name];
      if (head[name] || (started && !value)) continue;
      // The first frames of some services are blank here, and some tell the tier at the end.
      if (started) extras[name] = value!;
      else head = compact({ ...head, [name]: value });
    }
    const more = readExtras(chunk);
    if (more !== noExtras) Object.assign(extras, more);
    const counted = objectOf(chunk["usage"]) ?? objectOf(objectOf(chunk["x_groq"])?.["usage"]);
    if (counted) usage = readUsage(counted);
    const elements = objectsOf(chunk["choices"]);
    if (elements.length > 0) start();
    for (const element of elements) {
      const index = numberOf(element["index"]) ?? 0;
      let choice = choices.get(index);
      if (!choice) choices.set(index, choice = createStreamChoice(index, target));
      choice.read(element);
    }
  };

  const finish = (): void => {
    if (ended) return;
    ended = true;
    const finishes = [...choices.entries()].sort(([a], [b]) => a - b)
      .map(([, choice]) => choice.finish());
    const missing = finishes.findIndex((each) => each === undefined);
    if (finishes.length === 0 || missing >= 0) {
      throw new GatewayError(
        "upstream_invalid_response",
        `Cannot read the provider's stream: it ended ${
          finishes.length === 0 ? "without a choice" : `before choice ${missing} had finished`
        }`,
      );
    }
    const tier = textOf(extras["service_tier"]);
    if (usage) out.push(tier === undefined ? usage : { ...usage, serviceTier: tier });
    finishes.forEach((each, at) => {
      if (!each) return;
      // What came too late for the start goes with the first finish.
      const late = at === 0 && Object.keys(extras).length > 0 ? { answer: extras } : {};
      const news = late.answer && without(readExtras(late.answer), Object.keys(atStart));
      const told = toldMembers({ ...each.extras, ...news });
      out.push({
        ...each,
        ...(told ? { extras: told } : {}),
        native: native({ ...ownNative(each), ...late }),
      });
    });
  };

  const take = (): StreamPart[] => {
    const parts = out;
    out = [];
    return parts;
  };

  return {
    warnings,
    push(frame) {
      if (failed || ended) return [];
      if (frame.data === "[DONE]") finish();
      else {
        const chunk = parseChunk(frame);
        const error = chunk["error"] ?? objectOf(chunk["x_groq"])?.["error"] ??
          (frame.event === "error" ? chunk : undefined);
        if (isObject(error) || (typeof error === "string" && error !== "")) fail(error, chunk);
        else readChunk(chunk);
      }
      return take();
    },
    end() {
      if (!failed) finish();
      return take();
    },
  };
}

const headMembers = ["id", "model", "created", "service_tier", "system_fingerprint"];

function parseChunk(frame: Frame): JsonObject {
  let chunk: unknown;
  try {
    chunk = JSON.parse(frame.data);
  } catch (cause) {
    throw invalidFrame("is not JSON", cause);
  }
  if (!isObject(chunk)) throw invalidFrame("is not an object");
  return textOf(chunk["object"]) === "error" && chunk["error"] === undefined
    ? { error: chunk }
    : chunk;
}

function invalidFrame(what: string, cause?: unknown): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's stream: a frame ${what}`,
    { cause },
  );
}
