import type {
  AnswerContext,
  Block,
  FinishPart,
  Frame,
  Json,
  JsonObject,
  StartPart,
  StreamEncoder,
  StreamPart,
  UsagePart,
  Warning,
} from "@vmx/core/contract";
import { writeStart, writeUsage } from "./answer-members.ts";
import {
  isFunctionCall,
  lossOf,
  missingRefusal,
  placeOf,
  refusalSynthesized,
  writeImage,
  writeReason,
  writeSource,
} from "./encode-response.ts";
import { compact, dialectId, listOf, objectOf, ownNative, textOf } from "./read-json.ts";
import { writeDetails } from "./reasoning.ts";

interface OpenBlock {
  block: Block;
  /** Place of a tool call among its choice's calls. */
  readonly place: number;
}

/** Writes a stream of chunks. Usage comes after the last finish, in a chunk of its own, if the caller asked for it. */
export function streamEncoder(context: AnswerContext): StreamEncoder {
  let start: StartPart | undefined;
  let usage: UsagePart | undefined;
  let failed = false;
  let headWritten = false;
  const open = new Map<number, OpenBlock>();
  const begun = new Set<number>();
  const finished = new Set<number>();
  const refused = new Set<number>();
  const calls = new Map<number, number>();
  const warnings: Warning[] = [];

  const chunk = (members: JsonObject): Frame => {
    const head = writeStart(start, "chat.completion.chunk", context);
    // Members of the answer as a whole stand in the first chunk only.
    const extra = headWritten ? Object.keys(start?.extras ?? {}) : [];
    for (const name of extra) delete head[name];
    headWritten = true;
    const silent = context.includeUsage ? { usage: null } : {};
    return { data: JSON.stringify({ ...head, ...silent, ...members }) };
  };

  const delta = (choice: number, members: JsonObject, logprobs?: Json): Frame[] => {
    const frames: Frame[] = [];
    if (!begun.has(choice)) {
      begun.add(choice);
      const said = members["content"] !== undefined;
      frames.push(element(choice, { role: "assistant", ...(said ? { content: "" } : {}) }));
    }
    const silent = Object.keys(members).length === 0 || members["content"] === "";
    return silent ? frames : [...frames, element(choice, members, logprobs)];
  };

  const element = (index: number, members: JsonObject, logprobs?: Json): Frame =>
    chunk({
      choices: [compact({
        index,
        delta: members,
        logprobs: logprobs === undefined ? undefined : { content: logprobs, refusal: null },
        finish_reason: null,
      })],
    });

  const drop = (block: Block): Frame[] => {
    warnings.push(lossOf(block));
    return [];
  };

  const begin = (index: number, block: Block): Frame[] => {
    const { choice } = block;
    const place = block.type === "tool-call" && !block.server ? calls.get(choice) ?? 0 : 0;
    open.set(index, { block, place });
    if (block.type === "refusal") refused.add(choice);
    switch (block.type) {
      case "text":
        return delta(choice, { content: block.text }, block.logprobs);
      case "reasoning":
        return delta(choice, reasoningDelta(block, block, context));
      case "refusal":
        return block.text === "" ? [] : delta(choice, { refusal: block.text });
      case "tool-call": {
        if (block.server) return drop(block);
        if (isFunctionCall(block, context)) {
          return delta(choice, { function_call: { name: block.name, arguments: block.arguments } });
        }
        calls.set(choice, place + 1);
        return delta(choice, { tool_calls: [callStart(block, place)] });
      }
      case "source":
        return delta(choice, { annotations: [writeSource(block)] });
      case "file": {
        const image = writeImage(block);
        return image ? delta(choice, { images: [image] }) : drop(block);
      }
      case "native": {
        const found = placeOf(block);
        if (!found) return drop(block);
        if (found.list === undefined) return delta(choice, { audio: found.value });
        const value = found.list === "tool_calls"
          ? { index: calls.get(choice) ?? 0, ...found.value }
          : found.value;
        if (found.list === "tool_calls") calls.set(choice, (calls.get(choice) ?? 0) + 1);
        return delta(choice, { [found.list]: [value] });
      }
    }
  };

  const grow = (part: Extract<StreamPart, { type: "block-delta" }>): Frame[] => {
    const entry = open.get(part.index);
    if (!entry) return [];
    const { block, place } = entry;
    const { choice } = block;
    switch (block.type) {
      case "text":
        return delta(choice, { content: part.text ?? "" }, part.logprobs);
      case "reasoning": {
        const members = reasoningDelta(part, block, context);
        if (part.native) entry.block = { ...block, native: part.native };
        return delta(choice, members);
      }
      case "refusal":
        return delta(choice, { refusal: part.text ?? "" });
      case "tool-call":
        if (block.server || part.text === undefined) return [];
        return isFunctionCall(block, context)
          ? delta(choice, { function_call: { arguments: part.text } })
          : delta(choice, { tool_calls: [{ index: place, function: { arguments: part.text } }] });
      case "native": {
        if (block.kind !== "audio" || !part.native) return [];
        const grown = audioDelta(ownNative(block), ownNative(part));
        entry.block = { ...block, native: part.native };
        return delta(choice, { audio: grown });
      }
      default:
        return [];
    }
  };

  const end = (finish: FinishPart): Frame[] => {
    const own = ownNative(finish);
    const { logprobs, ...rest } = objectOf(own?.["choice"]) ?? {};
    const message = objectOf(own?.["message"]) ?? {};
    const frames = delta(finish.choice, {});
    const refusal = refused.has(finish.choice) ? undefined : missingRefusal(finish);
    if (refusal) {
      warnings.push(refusalSynthesized(finish.choice));
      frames.push(...begin(-1, refusal));
    }
    frames.push(chunk({
      ...objectOf(own?.["answer"]),
      choices: [compact({
        ...(own ? rest : finish.extras),
        index: finish.choice,
        delta: message,
        logprobs,
        finish_reason: writeReason(finish, context, warnings),
      })],
    }));
    finished.add(finish.choice);
    return [...frames, ...flushUsage()];
  };

  /** Usage goes out once all choices that have begun are finished. */
  const flushUsage = (): Frame[] => {
    if (!usage || finished.size === 0 || finished.size < begun.size) return [];
    const counted = usage;
    usage = undefined;
    if (!context.includeUsage) return [];
    const tier = counted.serviceTier === undefined ? {} : { service_tier: counted.serviceTier };
    return [chunk({ ...tier, choices: [], usage: writeUsage(counted) })];
  };

  return {
    warnings,
    push(part) {
      switch (part.type) {
        case "start":
          start = part;
          return [];
        case "block-start":
          return begin(part.index, part.block);
        case "block-delta":
          return grow(part);
        case "block-end":
          open.delete(part.index);
          return [];
        case "usage":
          usage = part;
          return finished.size > 0 ? flushUsage() : [];
        case "finish":
          return end(part);
        case "error":
          failed = true;
          return [{ data: JSON.stringify(errorChunk(part)) }];
      }
    },
    end() {
      if (failed) return [];
      return [...flushUsage(), { data: "[DONE]" }];
    },
  };
}

function reasoningDelta(
  grown: { readonly text?: string; readonly signature?: string; readonly encrypted?: string } & {
    readonly native?: Block["native"];
  },
  block: Block,
  context: AnswerContext,
): JsonObject {
  const own = ownNative(block);
  const member = own ? textOf(own["member"]) : "reasoning_content";
  const known = grown === block ? [] : listOf(own?.["details"]);
  const more = own
    ? listOf(ownNative(grown)?.["details"]).slice(known.length)
    : listOf(writeDetails(grown, context.family));
  return {
    ...(member !== undefined && grown.text ? { [member]: grown.text } : {}),
    ...(more.length === 0 ? {} : { reasoning_details: more }),
  };
}

function callStart(block: Extract<Block, { type: "tool-call" }>, index: number): JsonObject {
  const own = ownNative(block);
  return {
    ...(own && compact({ ...own, function: undefined })),
    index,
    id: block.id,
    type: textOf(own?.["type"]) ?? "function",
    function: { name: block.name, arguments: block.arguments },
  };
}

/** What is new in an audio object: the further pieces of sound and transcript, and changed members. */
function audioDelta(before: JsonObject = {}, after: JsonObject = {}): JsonObject {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(compact(after))) {
    const old = before[name];
    if (typeof value === "string" && typeof old === "string" && value.startsWith(old)) {
      if (value.length > old.length) out[name] = value.slice(old.length);
    } else if (value !== old) out[name] = value;
  }
  return out;
}

function errorChunk(part: Extract<StreamPart, { type: "error" }>): JsonObject {
  if (part.native?.dialect === dialectId) return objectOf(part.native.value) ?? {};
  return {
    error: { message: part.message, type: "api_error", code: part.code ?? null, param: null },
  };
}
