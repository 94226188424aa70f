import type { Json, JsonObject } from "@vmx/core/contract";
import { camelOf, compact, listOf, numberOf, objectOf, objectsOf, textOf } from "./read-json.ts";

/**
 * Reads `logprobsResult` as the list callers know: one `{token, logprob, bytes, top_logprobs}` per token; undefined
 * when it holds none.
 */
export function readLogprobs(result: Json | undefined): Json[] | undefined {
  const own = camelOf(result);
  const chosen = objectsOf(own?.["chosenCandidates"]);
  if (chosen.length === 0) return undefined;
  const top = objectsOf(own?.["topCandidates"]);
  return chosen.map((each, at) => ({
    ...readToken(each),
    top_logprobs: objectsOf(top[at]?.["candidates"]).map(readToken),
  }));
}

/** Writes such a list as `logprobsResult`. */
export function writeLogprobs(logprobs: Json): JsonObject {
  const tokens = objectsOf(logprobs);
  return {
    topCandidates: tokens.map((token) => ({
      candidates: objectsOf(token["top_logprobs"]).map(writeToken),
    })),
    chosenCandidates: tokens.map(writeToken),
  };
}

function readToken(candidate: JsonObject): JsonObject {
  const token = textOf(candidate["token"]) ?? "";
  const id = numberOf(candidate["tokenId"]);
  return {
    token,
    logprob: numberOf(candidate["logProbability"]) ?? 0,
    bytes: [...Buffer.from(token)],
    ...(id === undefined ? {} : { token_id: id }),
  };
}

function writeToken(token: JsonObject): JsonObject {
  return compact({
    token: token["token"],
    tokenId: token["token_id"],
    logProbability: token["logprob"],
  });
}

/** Both lists one after the other, as a stream tells them. */
export function joinLogprobs(before: JsonObject | undefined, after: JsonObject): JsonObject {
  if (!before) return after;
  const join = (name: string): Json[] => [...listOf(before[name]), ...listOf(after[name])];
  return {
    ...before,
    ...after,
    topCandidates: join("topCandidates"),
    chosenCandidates: join("chosenCandidates"),
  };
}

/** The `logprobsResult` of a candidate. */
export function logprobsOf(candidate: JsonObject): JsonObject | undefined {
  return objectOf(candidate["logprobsResult"]);
}
