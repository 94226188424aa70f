import type { Json, JsonObject, ReasoningContent } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { compact, listOf, native, textOf } from "./read-json.ts";

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
 * list of `{type, text?, signature?, data?, format?}` as OpenRouter defined it; `format` names the family.
 */
export function findReasoning(message: JsonObject): ReasoningFound | undefined {
  const member = reasoningMembers.find((name) => textOf(message[name]));
  const details = listOf(message["reasoning_details"]).filter(isObject);
  if (member === undefined && details.length === 0) return undefined;
  const pick = (name: string): string | undefined =>
    details.map((detail) => textOf(detail[name])).findLast((text) => text !== undefined);
  const texts = details.map((detail) => textOf(detail["text"]) ?? textOf(detail["summary"]) ?? "");
  const signature = pick("signature");
  const encrypted = pick("data");
  const family = pick("format");
  return {
    text: member === undefined ? texts.join("") : textOf(message[member])!,
    ...(signature === undefined ? {} : { signature }),
    ...(encrypted === undefined ? {} : { encrypted }),
    ...(family === undefined ? {} : { family }),
    ...(member === undefined ? {} : { member }),
  };
}

/** Reads the reasoning a caller gives back in an assistant message. */
export function readReasoning(message: JsonObject): ReasoningContent[] {
  const found = findReasoning(message);
  if (!found) return [];
  const { member, ...rest } = found;
  const value: Record<string, Json> = {};
  if (member !== undefined) value["member"] = member;
  const details = message["reasoning_details"];
  if (details !== undefined) value["details"] = details;
  return [{ type: "reasoning", ...rest, native: native(value) }];
}

/** Writes signature and encrypted content as `reasoning_details`; undefined when there is neither. */
export function writeDetails(
  reasoning: { readonly signature?: string; readonly encrypted?: string },
  family: string | undefined,
): Json | undefined {
  const { signature, encrypted } = reasoning;
  const details: JsonObject[] = [];
  if (signature !== undefined) {
    details.push(compact({ type: "reasoning.text", text: "", signature, format: family }));
  }
  if (encrypted !== undefined) {
    details.push(compact({ type: "reasoning.encrypted", data: encrypted, format: family }));
  }
  return details.length === 0 ? undefined : details;
}
