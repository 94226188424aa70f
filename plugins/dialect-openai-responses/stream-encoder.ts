import type {
  AnswerContext,
  BlockDelta,
  BlockStart,
  Frame,
  JsonObject,
  Part,
  StreamEncoder,
  StreamPart,
  Warning,
} from "@vmx/core/contract";
import { continues, isAnnotation, kindOf, missingRefusal } from "./answer-items.ts";
import { isCutShort, writeOpenResponse } from "./answer-shell.ts";
import { type BlockState, createBlockState } from "./block-state.ts";
import { encodeResponse, refusalSynthesized } from "./encode-response.ts";
import { ownNative } from "./native.ts";
import { createItemWriter, type ItemWriter } from "./stream-item-writer.ts";

/**
 * Writes a streamed answer. The last event repeats the whole response, equal to the plain answer the same Parts
 * would give. An item's end is held until the next item opens or the answer ends, because only then is known that
 * no citation follows and that it was not cut short.
 */
export function createStreamEncoder(context: AnswerContext): StreamEncoder {
  const blocks = new Map<number, { readonly state: BlockState; readonly item: ItemWriter }>();
  const states: BlockState[] = [];
  const items: ItemWriter[] = [];
  const others: Part[] = [];
  const warnings: Warning[] = [];
  let frames: Frame[] = [];
  let sequence = 0;
  let started = false;
  let ended = false;

  const send = (type: string, members: JsonObject): void => {
    const event = { type, sequence_number: sequence++, ...members };
    frames.push({ event: type, data: JSON.stringify(event) });
  };

  const begin = (start: Extract<StreamPart, { type: "start" }> | undefined): void => {
    if (started) return;
    started = true;
    const response = writeOpenResponse({ start, context });
    send("response.created", { response });
    send("response.in_progress", { response });
  };

  const open = ({ index, block }: BlockStart): void => {
    const state = createBlockState(index, block);
    states.push(state);
    const kind = kindOf(block);
    if (block.choice !== 0 || kind === "lost") return;
    const last = (isAnnotation(block) ? items.findLast((item) => item.hasText()) : undefined) ??
      items.at(-1);
    if (last?.kind === kind && continues(block)) {
      blocks.set(index, { state, item: last });
      return last.add(state);
    }
    for (const item of items) if (item.isEnded()) item.close("completed");
    const item = createItemWriter(kind, items.length, context, send);
    items.push(item);
    blocks.set(index, { state, item });
    item.add(state);
    // Images come whole.
    if (kind === "image") item.close("completed");
  };

  const grow = (delta: BlockDelta): void => {
    const found = blocks.get(delta.index);
    (found?.state ?? states.findLast(({ index }) => index === delta.index))?.grow(delta);
    if (found) found.item.grow(found.state, delta);
  };

  const closeItems = (): void => {
    const finish = others.filter((part) => part.type === "finish")
      .find(({ choice }) => choice === 0);
    const cutShort = isCutShort(finish && ownNative(finish), finish?.reason);
    items.forEach((item, at) =>
      item.close(cutShort && at === items.length - 1 ? "incomplete" : "completed")
    );
  };

  return {
    warnings,
    push(part) {
      frames = [];
      if (ended) return frames;
      if (part.type === "start") {
        others.push(part);
        begin(part);
        return frames;
      }
      begin(undefined);
      switch (part.type) {
        case "block-start":
          open(part);
          break;
        case "block-delta":
          grow(part);
          break;
        case "block-end": {
          const found = blocks.get(part.index);
          if (found) found.item.end(found.state);
          break;
        }
        case "error":
          ended = true;
          send("error", { code: part.code ?? null, message: part.message, param: null });
          break;
        case "finish": {
          others.push(part);
          const refusal = missingRefusal(states.map(({ opened }) => opened), part);
          if (refusal && part.choice === 0) {
            warnings.push(refusalSynthesized);
            open({ type: "block-start", index: -1, block: refusal });
            blocks.get(-1)?.item.end(blocks.get(-1)!.state);
          }
          break;
        }
        default:
          others.push(part);
      }
      return frames;
    },
    end() {
      frames = [];
      if (ended) return frames;
      ended = true;
      begin(undefined);
      closeItems();
      const parts = [...others, ...states.map((state) => state.block())];
      const { value: response, warnings: lost } = encodeResponse(parts, context);
      warnings.push(...lost);
      send(`response.${response["status"] === "incomplete" ? "incomplete" : "completed"}`, {
        response,
      });
      return frames;
    },
    sequence: () => sequence,
  };
}
