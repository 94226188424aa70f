import {
  type DecodeOptions,
  type Frame,
  GatewayError,
  type JsonObject,
  type StreamDecoder,
  type StreamPart,
  type Warning,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { createLanes } from "./block-lanes.ts";
import { lossOfReason, readFinish, readUsage } from "./decode-response.ts";
import { readException } from "./errors.ts";
import { numberOf, objectOf, textOf, without } from "./read-json.ts";
import { createStreamBlock, type StreamBlock } from "./stream-block.ts";

/**
 * Reads a stream of Converse events. The stream is whole once `messageStop` has come; usage follows it in `metadata`
 * and stands before the finish here, as in a plain answer, so the finish is held until then.
 */
export function streamDecoder(options: DecodeOptions = {}): StreamDecoder {
  let out: StreamPart[] = [];
  let blocks = 0;
  let started = false;
  let failed = false;
  let finished = false;
  let stopped: { readonly raw: string | undefined; readonly told: JsonObject } | undefined;
  const warnings: Warning[] = [];
  const emit = (part: StreamPart): void => {
    out.push(part);
  };
  const lanes = createLanes(emit);
  const open = new Map<number, StreamBlock>();
  const calls = new Set<StreamBlock["call"]>();

  const start = (): void => {
    if (!started) emit({ type: "start" });
    started = true;
  };
  const blockAt = (event: JsonObject): StreamBlock => {
    start();
    const at = numberOf(event["contentBlockIndex"]) ?? 0;
    let block = open.get(at);
    if (!block) open.set(at, block = createStreamBlock(lanes.open(), () => blocks++, options));
    return block;
  };
  const stop = (at: number): void => {
    const block = open.get(at);
    if (!block) return;
    open.delete(at);
    block.stop();
    calls.add(block.call);
  };
  const finish = (metadata: JsonObject): void => {
    if (finished || !stopped) return;
    finished = true;
    const usage = objectOf(metadata["usage"]);
    if (usage) emit(readUsage(usage, metadata));
    warnings.push(...lossOfReason(stopped.raw));
    const told = { ...stopped.told, ...without(metadata, "usage", "p") };
    emit(readFinish(stopped.raw, told, calls.has("answer") && !calls.has("tool")));
  };

  const read = (frame: Frame): void => {
    const failure = readException(frame);
    if (failure) {
      failed = true;
      start();
      emit(failure);
      return;
    }
    const event = parse(frame);
    switch (frame.event) {
      case "messageStart":
        return start();
      case "contentBlockStart":
        // A place that is taken once more begins a block of its own.
        stop(numberOf(event["contentBlockIndex"]) ?? 0);
        return blockAt(event).start(objectOf(event["start"]) ?? {});
      case "contentBlockDelta":
        return blockAt(event).grow(objectOf(event["delta"]) ?? {});
      case "contentBlockStop":
        return stop(numberOf(event["contentBlockIndex"]) ?? 0);
      case "messageStop":
        start();
        for (const at of [...open.keys()]) stop(at);
        stopped = { raw: textOf(event["stopReason"]), told: without(event, "stopReason", "p") };
        return;
      case "metadata":
        return finish(event);
    }
  };

  const take = (): readonly StreamPart[] => {
    const parts = out;
    out = [];
    return parts;
  };

  return {
    warnings,
    push(frame) {
      if (!failed && !finished) read(frame);
      return take();
    },
    end() {
      if (failed) return [];
      if (!stopped) {
        throw new GatewayError(
          "upstream_invalid_response",
          "Cannot read the provider's answer: the stream ended before messageStop",
        );
      }
      finish({});
      return take();
    },
  };
}

function parse({ event, data }: Frame): JsonObject {
  try {
    const value: unknown = JSON.parse(data);
    if (isObject(value)) return value;
  } catch {
    // Told below, as for JSON of another kind.
  }
  throw new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's answer: the event "${event ?? ""}" is not a JSON object`,
  );
}
