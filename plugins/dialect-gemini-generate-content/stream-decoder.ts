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
import { isObject, mergeObjects, toldMembers } from "@vmx/core/kit";
import { blockedFinish, blockReason, readStart } from "./answer-members.ts";
import { readErrorMember } from "./errors.ts";
import { camel, native, numberOf, objectOf, objectsOf, ownNative, without } from "./read-json.ts";
import { createStreamCandidate, type StreamCandidate } from "./stream-candidate.ts";
import { readUsage } from "./tokens.ts";

const notOfStart = new Set(["candidates", "usageMetadata", "responseId", "modelVersion"]);

/**
 * Reads a stream of chunks. It has no end marker: it is whole when every candidate that was seen has told why it
 * ended, or when the prompt was refused. Ends are held until the stream is over, because a later chunk may still
 * change them and count more tokens.
 */
export function streamDecoder(options?: DecodeOptions): StreamDecoder {
  let out: StreamPart[] = [];
  let blocks = 0;
  let started = false;
  let failed = false;
  let ended = false;
  let answerId: string | undefined;
  let usage: JsonObject = {};
  let blocked: string | undefined;
  /** Members of the answer as a whole that its start told; the service repeats them with every chunk. */
  let atStart: JsonObject = {};
  /** Members of the answer as a whole that came after its start. */
  const late: Record<string, Json> = {};
  const candidates = new Map<number, StreamCandidate>();
  const warnings: Warning[] = [];
  const target = {
    warnings,
    nextIndex: () => blocks++,
    emit: (part: StreamPart) => {
      out.push(part);
    },
  };

  const start = (chunk: JsonObject): void => {
    if (started) {
      for (const [name, value] of Object.entries(without(chunk, notOfStart))) {
        if (name !== "createTime") late[name] = value;
      }
      return;
    }
    started = true;
    const part = readStart(chunk);
    atStart = part.extras ?? {};
    answerId = part.id;
    // Usage that counts nothing yet is told at the end.
    const kept = without(ownNative(part) ?? {}, new Set(["usageMetadata"]));
    const { native: _native, ...bare } = part;
    out.push(Object.keys(kept).length === 0 ? bare : { ...bare, native: native(kept) });
  };

  const readChunk = (chunk: JsonObject): void => {
    start(chunk);
    usage = mergeObjects(usage, objectOf(chunk["usageMetadata"]));
    blocked = blockReason(chunk) ?? blocked;
    objectsOf(chunk["candidates"]).forEach((element, at) => {
      const choice = numberOf(element["index"]) ?? at;
      let candidate = candidates.get(choice);
      if (!candidate) {
        const place = { answerId, choice, call: 0 };
        candidates.set(choice, candidate = createStreamCandidate(place, options, target));
      }
      candidate.read(element);
    });
  };

  const finish = (): void => {
    if (ended) return;
    ended = true;
    const finishes = [...candidates.entries()].sort(([a], [b]) => a - b)
      .map(([, candidate]) => candidate.finish());
    const missing = finishes.findIndex((each) => each === undefined);
    if (blocked === undefined && (finishes.length === 0 || missing >= 0)) {
      throw new GatewayError(
        "upstream_invalid_response",
        `Cannot read the provider's stream: it ended ${
          finishes.length === 0 ? "without a candidate" : `before candidate ${missing} had finished`
        }`,
      );
    }
    out.push(...readUsage(usage));
    const told = finishes.filter((each) => each !== undefined);
    if (told.length === 0) told.push(blockedFinish(blocked ?? "BLOCKED_REASON_UNSPECIFIED"));
    told.forEach((each, at) => {
      // What came too late for the start goes with the first finish.
      const more = at === 0 && Object.keys(late).length > 0 ? { answer: late } : {};
      const news = more.answer && without(more.answer, new Set(Object.keys(atStart)));
      const told = toldMembers({ ...each.extras, ...news });
      out.push({
        ...each,
        ...(told ? { extras: told } : {}),
        native: native({ ...ownNative(each), ...more }),
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
      const chunk = parseChunk(frame);
      const error = readErrorMember(chunk["error"]);
      if (error) {
        failed = true;
        start({});
        out.push({
          type: "error",
          message: error.message,
          ...(error.status === undefined ? {} : { status: error.status }),
          ...(error.code ? { code: error.code } : {}),
          native: native(chunk),
        });
      } else readChunk(chunk);
      return take();
    },
    end() {
      if (!failed) finish();
      return take();
    },
  };
}

function parseChunk(frame: Frame): JsonObject {
  let chunk: unknown;
  try {
    chunk = JSON.parse(frame.data);
  } catch (cause) {
    throw invalidFrame("is not JSON", cause);
  }
  // An error may come in an array of one.
  const only: unknown = Array.isArray(chunk) ? chunk[0] : chunk;
  if (!isObject(only)) throw invalidFrame("is not an object");
  return camel(only);
}

function invalidFrame(what: string, cause?: unknown): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's stream: a frame ${what}`,
    { cause },
  );
}
