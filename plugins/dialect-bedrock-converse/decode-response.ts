import {
  type DecodeOptions,
  type FinishPart,
  type JsonObject,
  type Operation,
  type Part,
  type Translated,
  type UsagePart,
  type Warning,
} from "@vmx/core/contract";
import { toldMembers } from "@vmx/core/kit";
import { isAnswer, readBlock } from "./answer-blocks.ts";
import { decodeVectors } from "./embeddings.ts";
import { readStopReason } from "./finish-reason.ts";
import { checkAnswer } from "./read-answer.ts";
import { filled, native, objectOf, objectsOf, textOf, without } from "./read-json.ts";
import { readTokens } from "./tokens.ts";

/**
 * Reads a plain answer into Parts. What it tells beyond them is kept with its finish, where a stream tells it too.
 *
 * Throws `upstream_invalid_response` when it holds no message (or no vectors).
 */
export function decodeResponse(
  body: JsonObject,
  operation: Operation,
  options: DecodeOptions = {},
): Translated<readonly Part[]> {
  if (operation === "embeddings") return { value: decodeVectors(body), warnings: [] };
  const message = checkAnswer(body);
  const raw = textOf(body["stopReason"]);
  const usage = objectOf(body["usage"]);
  return {
    value: [
      { type: "start" },
      ...objectsOf(message["content"]).flatMap((block) => readBlock(block, options)),
      ...(usage ? [readUsage(usage, body)] : []),
      readFinish(raw, body, onlyAnswers(objectsOf(message["content"]), options)),
    ],
    warnings: lossOfReason(raw),
  };
}

/** What is lost of a stop reason that is not one of the dialect's. */
export function lossOfReason(raw: string | undefined): Warning[] {
  if (readStopReason(raw) !== undefined) return [];
  return [{
    code: "unknown_finish_reason",
    path: "/stopReason",
    action: "approximated",
    detail: raw === undefined ? "The provider gave none" : raw.slice(0, 100),
  }];
}

/** Reads usage; the tier stands beside it. */
export function readUsage(usage: JsonObject, beside: JsonObject): UsagePart {
  const tier = textOf(objectOf(beside["serviceTier"])?.["type"]);
  return {
    type: "usage",
    tokens: readTokens(usage),
    ...(tier === undefined ? {} : { serviceTier: tier }),
    native: native(usage),
  };
}

/** Members of an answer that have a canonical place, or tell of the transport alone. */
const knownMembers = ["output", "stopReason", "usage", "serviceTier", "metrics"];

/**
 * Reads why the answer ended.
 *
 * @param told the answer, or what the last events of a stream told together
 * @param answered true when the only tool called was the stand-in for the answer itself
 */
export function readFinish(
  raw: string | undefined,
  told: JsonObject,
  answered: boolean,
): FinishPart {
  const reason = readStopReason(raw) ?? "end";
  const rest = filled(without(told, "output", "stopReason", "usage"));
  const extras = toldMembers(without(told, ...knownMembers));
  const met = textOf(objectOf(told["additionalModelResponseFields"])?.["stop_sequence"]);
  return {
    type: "finish",
    choice: 0,
    reason: answered && reason === "tool-use" ? "end" : reason,
    ...(raw === undefined ? {} : { raw }),
    ...(met === undefined ? {} : { stopSequence: met }),
    ...(extras ? { extras } : {}),
    ...(rest ? { native: native(rest) } : {}),
  };
}

function onlyAnswers(content: readonly JsonObject[], options: DecodeOptions): boolean {
  const calls = content.map((block) => objectOf(block["toolUse"])).filter((call) => call);
  return calls.length > 0 && calls.every((call) => isAnswer(call!, options));
}
