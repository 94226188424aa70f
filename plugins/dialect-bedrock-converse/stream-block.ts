import type { Block, DecodeOptions, Json, JsonObject } from "@vmx/core/contract";
import { callBlock, isAnswer, readCitation, textBlock } from "./answer-blocks.ts";
import type { Lane } from "./block-lanes.ts";
import { imageType } from "./media.ts";
import { native, objectOf, objectsOf, textOf } from "./read-json.ts";

/** Reads the events of one content block. */
export interface StreamBlock {
  start(event: JsonObject): void;
  grow(delta: JsonObject): void;
  stop(): void;
  /** Whether the block is a tool call, and if so whether it stands in for the answer. */
  readonly call: "none" | "tool" | "answer";
}

/** Reads one content block into the parts of its lane. Texts have no start event: their first delta opens them. */
export function createStreamBlock(
  lane: Lane,
  nextIndex: () => number,
  options: DecodeOptions,
): StreamBlock {
  let open: { readonly index: number; readonly type: Block["type"] } | undefined;
  let grown = 0;
  let calling = false;
  let call: StreamBlock["call"] = "none";
  let encrypted = "";
  let result: { own: JsonObject; content: Json[] } | undefined;
  let image: { format: string | undefined; bytes: Uint8Array[] } | undefined;
  const citations: JsonObject[] = [];
  const unknown: JsonObject[] = [];

  const begin = (block: Block): number => {
    end();
    const index = nextIndex();
    open = { index, type: block.type };
    grown = 0;
    lane.emit({ type: "block-start", index, block });
    return index;
  };
  const end = (): void => {
    if (!open) return;
    // A call without arguments has no deltas, and none is an empty object.
    if (calling && grown === 0) append(open.index, "{}");
    calling = false;
    lane.emit({ type: "block-end", index: open.index });
    open = undefined;
  };
  const ensure = (block: Block): number => {
    return open?.type === block.type ? open.index : begin(block);
  };
  const append = (index: number, text: string): void => {
    grown += text.length;
    if (text !== "") lane.emit({ type: "block-delta", index, text });
  };
  const whole = (block: Block): void => {
    begin(block);
    end();
  };

  const growReasoning = (delta: JsonObject): void => {
    const index = ensure({ type: "reasoning", choice: 0, text: "" });
    const text = textOf(delta["text"]);
    const signature = textOf(delta["signature"]);
    const more = textOf(delta["redactedContent"]);
    if (text !== undefined) append(index, text);
    if (signature !== undefined) lane.emit({ type: "block-delta", index, signature });
    if (more === undefined) return;
    // Pieces of bytes, each in base64 of its own.
    encrypted = encrypted === "" ? more : joinBase64([encrypted, more]);
    lane.emit({ type: "block-delta", index, encrypted });
  };

  return {
    get call() {
      return call;
    },
    start(event) {
      const use = objectOf(event["toolUse"]);
      const returned = objectOf(event["toolResult"]);
      const drawn = objectOf(event["image"]);
      if (use) {
        const answer = isAnswer(use, options);
        call = answer ? "answer" : "tool";
        begin(answer ? textBlock("") : callBlock(use, "", options));
        calling = true;
      } else if (returned) result = { own: returned, content: [] };
      else if (drawn) image = { format: textOf(drawn["format"]), bytes: [] };
      else if (Object.keys(event).length > 0) unknown.push(event);
    },
    grow(delta) {
      const text = textOf(delta["text"]);
      const reasoning = objectOf(delta["reasoningContent"]);
      const use = objectOf(delta["toolUse"]);
      const citation = objectOf(delta["citation"]);
      const drawn = objectOf(objectOf(delta["image"])?.["source"]);
      if (text !== undefined) append(ensure(textBlock("")), text);
      else if (reasoning) growReasoning(reasoning);
      else if (use && open) append(open.index, textOf(use["input"]) ?? "");
      else if (citation) citations.push(citation);
      else if (delta["toolResult"] !== undefined) {
        result?.content.push(...objectsOf(delta["toolResult"]));
      } else if (drawn) image?.bytes.push(Buffer.from(textOf(drawn["bytes"]) ?? "", "base64"));
      else unknown.push(delta);
    },
    stop() {
      const cited = open?.type === "text" ? grown : 0;
      end();
      for (const citation of citations) whole(readCitation(citation, cited));
      if (result) {
        const value = { toolResult: { ...result.own, content: result.content } };
        whole({ type: "native", choice: 0, kind: "toolResult", native: native(value) });
      }
      if (image) {
        const data = Buffer.concat(image.bytes).toString("base64");
        const format = image.format ?? "png";
        whole({
          type: "file",
          choice: 0,
          source: { kind: "base64", mediaType: imageType(format), data },
          native: native({ image: { format, source: { bytes: data } } }),
        });
      }
      if (unknown.length > 0) {
        whole({ type: "native", choice: 0, kind: "events", native: native({ events: unknown }) });
      }
      lane.close();
    },
  };
}

function joinBase64(pieces: readonly string[]): string {
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64"))).toString("base64");
}
