import type { Json, JsonObject, ReasoningContent } from "@vmx/core/contract";
import { packReasoning, unpackReasoning } from "@vmx/core/kit";
import { native, objectsOf, textOf } from "./read-json.ts";

/** The members of messages and deltas that services put reasoning text in, most used first. */
export const reasoningMembers = ["reasoning_content", "reasoning"] as const;

/** Reasoning as it stands in a message. */
export interface ReasoningFound {
  readonly text: string;
  readonly signature?: string;
  readonly encrypted?: string;
  /** The provider family noted beside the signature. */
  readonly family?: string;
  /** The member its text stood in; undefined when there were details only. */
  readonly member?: string;
}

/**
 * Finds the reasoning of a message or delta. Signatures and encrypted content travel in `reasoning_details`, a
 * list of `{type, text?, signature?, data?}` as OpenRouter defined it; the gateway packs those of other families
 * into one `data`.
 */
export function findReasoning(message: JsonObject): ReasoningFound | undefined {
  const member = reasoningMembers.find((name) => textOf(message[name]));
  const details = objectsOf(message["reasoning_details"]);
  if (member === undefined && details.length === 0) return undefined;
  const pick = (name: string): string | undefined =>
    details.map((detail) => textOf(detail[name])).findLast((text) => text !== undefined);
  const texts = details.map((detail) => textOf(detail["text"]) ?? textOf(detail["summary"]) ?? "");
  const signature = pick("signature");
  const encrypted = pick("data");
  const text = member === undefined ? texts.join("") : textOf(message[member])!;
  const foreign = encrypted === undefined ? undefined : unpackReasoning(encrypted);
  return {
    text,
    ...(foreign ?? compactTexts({ signature, encrypted })),
    ...(member === undefined ? {} : { member }),
  };
}

function compactTexts(
  texts: { readonly signature: string | undefined; readonly encrypted: string | undefined },
): { readonly signature?: string; readonly encrypted?: string } {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined));
}

/** Reads the reasoning a caller gives back in an assistant message. */
export function readReasoning(message: JsonObject): ReasoningContent[] {
  const found = findReasoning(message);
  if (!found) return [];
  const { member, ...rest } = found;
  // The gateway's own writing is nobody's original spelling.
  if (found.family !== undefined) return [{ type: "reasoning", ...rest }];
  const value: Record<string, Json> = {};
  if (member !== undefined) value["member"] = member;
  const details = message["reasoning_details"];
  if (details !== undefined) value["details"] = details;
  return [{ type: "reasoning", ...rest, native: native(value) }];
}

/**
 * Writes signature and encrypted content as `reasoning_details`, packed so that they are known again as the
 * gateway's; undefined when there is neither, or no family they could go back to.
 */
export function writeDetails(
  reasoning: { readonly signature?: string; readonly encrypted?: string },
  family: string | undefined,
): Json | undefined {
  const { signature, encrypted } = reasoning;
  if (family === undefined || (signature === undefined && encrypted === undefined)) {
    return undefined;
  }
  const data = packReasoning({
    family,
    ...(signature === undefined ? {} : { signature }),
    ...(encrypted === undefined ? {} : { encrypted }),
  });
  return [{ type: "reasoning.encrypted", data }];
}
