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
import { isBlocked, writeReason, writeStart } from "./answer-members.ts";
import { writePart } from "./answer-parts.ts";
import { lossOf, writeRest } from "./encode-response.ts";
import { writeLogprobs } from "./logprobs.ts";
import { compact, native, objectOf, ownNative } from "./read-json.ts";
import { writeUsage } from "./tokens.ts";

/** What has been said in one candidate, as far as its end needs it. */
interface Said {
  text: string;
  readonly sources: Block[];
}

/**
 * Writes a stream of chunks. A call goes out whole, once its arguments are; usage goes with the last finish. The
 * dialect has no end marker.
 */
export function streamEncoder(context: AnswerContext): StreamEncoder {
  let start: StartPart | undefined;
  let usage: UsagePart | undefined;
  let headWritten = false;
  let failed = false;
  const open = new Map<number, Block>();
  const said = new Map<number, Said>();
  const finishes: FinishPart[] = [];
  const warnings: Warning[] = [];

  const sayings = (choice: number): Said => {
    let own = said.get(choice);
    if (!own) said.set(choice, own = { text: "", sources: [] });
    return own;
  };

  const chunk = (members: JsonObject): Frame => {
    const head = writeStart(start, context);
    const whole = headWritten
      ? { responseId: head["responseId"], modelVersion: head["modelVersion"] }
      : head;
    headWritten = true;
    return { data: JSON.stringify(compact({ ...members, ...whole })) };
  };

  const sayWhole = (block: Block): Frame[] => {
    const part = writePart(block);
    warnings.push(...lossOf(block, part));
    return part ? say(block.choice, part) : [];
  };

  const say = (choice: number, part: JsonObject, more: JsonObject = {}): Frame[] => [chunk({
    candidates: [{ content: { parts: [part], role: "model" }, index: choice, ...more }],
  })];

  /** A delta of a text or of reasoning. */
  const speak = (
    block: Extract<Block, { type: "text" | "reasoning" | "refusal" }>,
    text: string,
    signature: string | undefined,
    logprobs: Json | undefined,
  ): Frame[] => {
    sayings(block.choice).text += block.type === "text" ? text : "";
    const frames: Frame[] = [];
    const probabilities = logprobs === undefined ? {} : { logprobsResult: writeLogprobs(logprobs) };
    const { native: _native, ...bare } = block;
    if (text !== "") {
      const part = bare.type === "reasoning"
        ? { text, thought: true }
        : writePart({ ...bare, text, ...(block.native ? { native: block.native } : {}) })!;
      frames.push(...say(block.choice, part, probabilities));
    }
    if (signature !== undefined) {
      const thought = block.type === "reasoning" && grown.has(block) ? { thought: true } : {};
      frames.push(...say(block.choice, { text: "", ...thought, thoughtSignature: signature }));
    }
    return frames;
  };

  /** Reasoning that has a text: its signature goes into a part of the same kind. */
  const grown = new Set<Block>();

  const begin = (index: number, block: Block): Frame[] => {
    open.set(index, block);
    switch (block.type) {
      case "text":
      case "refusal":
        return speak(
          block,
          block.text,
          undefined,
          block.type === "text" ? block.logprobs : undefined,
        );
      case "reasoning":
        if (block.text !== "") grown.add(block);
        return speak(block, block.text, block.signature, undefined);
      case "source":
        sayings(block.choice).sources.push(block);
        return [];
      case "file":
      case "native":
        return sayWhole(block);
      case "tool-call":
        return [];
    }
  };

  const grow = (part: Extract<StreamPart, { type: "block-delta" }>): Frame[] => {
    const block = open.get(part.index);
    if (block?.type === "tool-call") {
      open.set(part.index, { ...block, arguments: block.arguments + (part.text ?? "") });
      return [];
    }
    if (block?.type !== "text" && block?.type !== "reasoning" && block?.type !== "refusal") {
      return [];
    }
    if (part.text) grown.add(block);
    return speak(block, part.text ?? "", part.signature, part.logprobs);
  };

  const end = (index: number): Frame[] => {
    const block = open.get(index);
    open.delete(index);
    return block?.type === "tool-call" ? sayWhole(block) : [];
  };

  const finish = (part: FinishPart, last: boolean): Frame => {
    const own = ownNative(part);
    const { answer, ...rest } = own ?? {};
    const counted = last && usage ? { usageMetadata: writeUsage(usage) } : {};
    const late = objectOf(answer) ?? {};
    if (isBlocked(part) && !said.has(part.choice)) return chunk({ ...counted, ...late });
    const { text, sources } = sayings(part.choice);
    const blocks: Block[] = [{ type: "text", choice: part.choice, text }, ...sources];
    const { logprobsResult: _told, ...others } = writeRest(
      blocks,
      own ? { ...part, native: native(rest) } : part,
    );
    const candidate = { finishReason: writeReason(part, warnings), index: part.choice, ...others };
    return chunk({ candidates: [candidate], ...counted, ...late });
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
          return end(part.index);
        case "usage":
          usage = part;
          return [];
        case "finish":
          finishes.push(part);
          return [];
        case "error":
          failed = true;
          return [{ data: JSON.stringify(errorChunk(part)) }];
      }
    },
    end() {
      if (failed) return [];
      return finishes.map((part, at) => finish(part, at === finishes.length - 1));
    },
  };
}

function errorChunk(part: Extract<StreamPart, { type: "error" }>): JsonObject {
  return ownNative(part) ?? {
    error: {
      code: part.status ?? 500,
      message: part.message,
      status: part.code ?? "INTERNAL",
    },
  };
}
