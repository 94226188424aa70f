import type { AnswerContext, BlockDelta, Json, JsonObject } from "@vmx/core/contract";
import { listOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { isAnnotation, type ItemKind } from "./answer-items.ts";
import type { BlockState } from "./block-state.ts";
import { ownNative } from "./native.ts";
import { writeAnnotation, writeItem } from "./write-item.ts";

/** Writes the events of one output item. */
export interface ItemWriter {
  readonly kind: ItemKind;
  add(state: BlockState): void;
  grow(state: BlockState, delta: BlockDelta): void;
  end(state: BlockState): void;
  hasText(): boolean;
  /** Whether all blocks have ended. */
  isEnded(): boolean;
  /** Sends the events that end the item, once. */
  close(status: "completed" | "incomplete"): void;
}

type Send = (type: string, members: JsonObject) => void;

/** Creates the writer of the item at `outputIndex`. */
export function createItemWriter(
  kind: ItemKind,
  outputIndex: number,
  context: AnswerContext,
  send: Send,
): ItemWriter {
  const states: BlockState[] = [];
  const openStates = new Set<BlockState>();
  /** Where each block stands in the item's content; annotations have no place of their own. */
  const places = new Map<BlockState, number>();
  /** Annotations sent with each content part. */
  const annotated: number[] = [];
  const early: JsonObject[] = [];
  const closedParts = new Set<BlockState>();
  let id: Json = "";
  let closed = false;

  const write = (status: "completed" | "incomplete"): JsonObject =>
    writeItem({ kind, blocks: states.map((state) => state.block()) }, {
      outputIndex,
      status,
      context,
    });
  const at = (more: JsonObject): JsonObject => ({
    item_id: id,
    output_index: outputIndex,
    ...more,
  });

  const announce = (): void => {
    const item = write("completed");
    id = item["id"] ?? item["call_id"] ?? "";
    const empty: Partial<Record<ItemKind, JsonObject>> = {
      message: { content: [] },
      reasoning: { summary: [], content: undefined, encrypted_content: undefined },
      function: { arguments: "" },
      image: { result: null },
    };
    const status = kind === "reasoning" || kind === "verbatim" ? {} : { status: "in_progress" };
    send("response.output_item.added", {
      output_index: outputIndex,
      item: { ...item, ...empty[kind], ...status },
    });
    if (kind === "search") {
      send("response.web_search_call.in_progress", at({}));
      send("response.web_search_call.searching", at({}));
    }
  };

  const annotate = (content: number, annotation: JsonObject): void => {
    const index = annotated[content] ?? 0;
    annotated[content] = index + 1;
    send(
      "response.output_text.annotation.added",
      at({ content_index: content, annotation_index: index, annotation }),
    );
  };

  const addPart = (state: BlockState): void => {
    const content = places.size;
    places.set(state, content);
    const { type } = state.opened;
    const part: JsonObject | undefined = type === "text"
      ? { type: "output_text", text: "", annotations: [], logprobs: [] }
      : type === "refusal"
      ? { type: "refusal", refusal: "" }
      : undefined;
    if (part) send("response.content_part.added", at({ content_index: content, part }));
    if (type === "text") { for (const each of early.splice(0)) annotate(content, each); }
  };

  const addAnnotation = (state: BlockState): void => {
    const annotation = writeAnnotation(state.opened);
    const text = [...places].findLast(([{ opened }]) => opened.type === "text");
    if (text) annotate(text[1], annotation);
    else early.push(annotation);
  };

  /** Reasoning of this dialect knows whether it is the model's own words; all other is shown as a summary. */
  const isOwnWords = (state: BlockState): boolean =>
    ownNative(state.opened)?.["text"] === "content";

  const addReasoning = (state: BlockState): void => {
    places.set(state, 0);
    if (isOwnWords(state)) return;
    send(
      "response.reasoning_summary_part.added",
      at({ summary_index: places.get(state)!, part: { type: "summary_text", text: "" } }),
    );
  };

  /** Closes the content parts that have ended, or all. */
  const closeParts = (item: JsonObject, all: boolean): void => {
    for (const [state, place] of places) {
      if (closedParts.has(state) || (!all && openStates.has(state))) continue;
      closedParts.add(state);
      closePart(state, place, objectOf(listOf(item["content"])[place]) ?? {});
    }
  };

  const closePart = (state: BlockState, content: number, part: JsonObject): void => {
    if (state.opened.type === "text") {
      send(
        "response.output_text.done",
        at({
          content_index: content,
          text: part["text"] ?? "",
          logprobs: listOf(part["logprobs"]),
        }),
      );
    } else if (state.opened.type === "refusal") {
      send(
        "response.refusal.done",
        at({ content_index: content, refusal: textOf(part["refusal"]) ?? "" }),
      );
    }
    send("response.content_part.done", at({ content_index: content, part }));
  };

  const growText = (state: BlockState, text: string, logprobs: readonly Json[]): void => {
    if (kind === "reasoning" && text !== "" && !places.has(state)) addReasoning(state);
    const place = places.get(state) ?? 0;
    switch (state.opened.type) {
      case "text":
        return send(
          "response.output_text.delta",
          at({ content_index: place, delta: text, logprobs }),
        );
      case "refusal":
        return send("response.refusal.delta", at({ content_index: place, delta: text }));
      case "reasoning":
        return isOwnWords(state)
          ? send("response.reasoning_text.delta", at({ content_index: place, delta: text }))
          : send(
            "response.reasoning_summary_text.delta",
            at({ summary_index: place, delta: text }),
          );
      case "tool-call":
        if (kind === "function") {
          send("response.function_call_arguments.delta", at({ delta: text }));
        }
    }
  };

  const endBlock = (state: BlockState): void => {
    const block = state.block();
    if (block.type === "reasoning" && places.has(state) && isOwnWords(state)) {
      send("response.reasoning_text.done", at({ content_index: 0, text: block.text }));
    } else if (block.type === "reasoning" && places.has(state)) {
      const place = { summary_index: places.get(state)! };
      send("response.reasoning_summary_text.done", at({ ...place, text: block.text }));
      const part = { type: "summary_text", text: block.text };
      send("response.reasoning_summary_part.done", at({ ...place, part }));
    } else if (block.type === "tool-call" && kind === "function") {
      send(
        "response.function_call_arguments.done",
        at({ name: block.name, arguments: block.arguments }),
      );
    }
  };

  return {
    kind,
    add(state) {
      // No citation of an earlier part can follow once a further part opens.
      if (kind === "message" && places.size > 0 && !isAnnotation(state.opened)) {
        closeParts(write("completed"), false);
      }
      states.push(state);
      openStates.add(state);
      if (states.length === 1) announce();
      const { opened } = state;
      if (kind === "message") isAnnotation(opened) ? addAnnotation(state) : addPart(state);
      const text = opened.type === "tool-call"
        ? opened.arguments
        : "text" in opened
        ? opened.text
        : "";
      if (text !== "") growText(state, text, []);
    },
    grow(state, delta) {
      const logprobs = listOf(delta.logprobs);
      if (closed || (!delta.text && logprobs.length === 0)) return;
      growText(state, delta.text ?? "", logprobs);
    },
    end(state) {
      if (!openStates.delete(state) || closed) return;
      endBlock(state);
    },
    hasText: () => states.some(({ opened }) => opened.type === "text"),
    isEnded: () => openStates.size === 0,
    close(status) {
      if (closed) return;
      for (const state of [...openStates]) this.end(state);
      closed = true;
      const item = write(status);
      if (kind === "message") {
        closeParts(item, true);
        const added = listOf(item["content"])[places.size];
        if (added !== undefined) {
          // Citations came without any text: they stand on an empty one.
          const place = { content_index: places.size };
          const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
          send("response.content_part.added", at({ ...place, part }));
          for (const each of early.splice(0)) annotate(places.size, each);
          send("response.content_part.done", at({ ...place, part: added }));
        }
      } else if (kind === "search") send("response.web_search_call.completed", at({}));
      send("response.output_item.done", { output_index: outputIndex, item });
    },
  };
}
