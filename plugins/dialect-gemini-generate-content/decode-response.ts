import type {
  Block,
  DecodeOptions,
  FinishPart,
  JsonObject,
  Operation,
  Part,
  Translated,
  Warning,
} from "@vmx/core/contract";
import {
  blockedFinish,
  checkAnswer,
  readFinish,
  readStart,
  restOfCandidate,
} from "./answer-members.ts";
import { readPart } from "./answer-parts.ts";
import { readCount } from "./count-tokens.ts";
import { decodeVectors } from "./embeddings.ts";
import { reasonName } from "./finish-reason.ts";
import { readSources } from "./grounding.ts";
import { logprobsOf, readLogprobs } from "./logprobs.ts";
import { camel, camelOf, numberOf, objectOf, objectsOf } from "./read-json.ts";
import { readUsage } from "./tokens.ts";

/**
 * Reads a plain answer into Parts. A refused prompt ends with `content-filter` and holds no block.
 *
 * Throws `upstream_invalid_response` when there is neither a candidate nor a refusal (or no vector, no count).
 */
export function decodeResponse(
  body: JsonObject,
  operation: Operation,
  options?: DecodeOptions,
): Translated<readonly Part[]> {
  if (operation === "embeddings") return { value: decodeVectors(body), warnings: [] };
  if (operation === "count-tokens") return { value: [readCount(body)], warnings: [] };
  const { candidates, blocked } = checkAnswer(body);
  const start = readStart(body);
  const warnings: Warning[] = [];
  const blocks: Block[] = [];
  const finishes: FinishPart[] = [];
  candidates.map(camel).forEach((candidate, at) => {
    const choice = numberOf(candidate["index"]) ?? at;
    const place = { answerId: start.id, choice, call: 0 };
    const parts = objectsOf(camelOf(candidate["content"])?.["parts"]);
    const said = withLogprobs(parts.flatMap((part) => readPart(part, place, options)), candidate);
    // Empty text is a block only where nothing else was said.
    if (said.length === 0 && parts.length > 0) said.push({ type: "text", choice, text: "" });
    const texts = said.flatMap((block) => (block.type === "text" ? [block.text] : []));
    blocks.push(...said, ...readSources(candidate, texts, choice));
    finishes.push(
      readFinish(
        reasonName(candidate["finishReason"]),
        choice,
        said.some((block) => block.type === "tool-call"),
        restOfCandidate(candidate),
        warnings,
      ),
    );
  });
  if (candidates.length === 0 && blocked !== undefined) finishes.push(blockedFinish(blocked));
  return {
    value: [start, ...blocks, ...readUsage(objectOf(body["usageMetadata"])), ...finishes],
    warnings,
  };
}

/** Gives the log probabilities to the first text. */
function withLogprobs(blocks: Block[], candidate: JsonObject): Block[] {
  const logprobs = readLogprobs(logprobsOf(candidate));
  const at = blocks.findIndex((block) => block.type === "text");
  const block = blocks[at];
  return logprobs && block?.type === "text" ? blocks.with(at, { ...block, logprobs }) : blocks;
}
