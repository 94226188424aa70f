import type { FinishReason, JsonObject } from "@vmx/core/contract";
import { objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";

/** How an answer ended, as it stands on the wire. */
export interface ReadReason {
  readonly reason: FinishReason;
  /** The spelling that decided: the status, or why it is incomplete. */
  readonly raw: string | undefined;
  /** False when the spelling is not one of the dialect's. */
  readonly known: boolean;
}

/**
 * Reads why an answer ended. `completed` covers a plain end, tool calls and refusals: what the answer holds
 * decides (providers-and-dialects.md §3.2).
 */
export function readFinishReason(
  response: JsonObject,
  holds: { readonly toolCall: boolean; readonly refusal: boolean },
): ReadReason {
  const status = textOf(response["status"]);
  if (status === "incomplete") {
    const raw = textOf(objectOf(response["incomplete_details"])?.["reason"]) ?? status;
    if (raw === "max_output_tokens") return { reason: "length", raw, known: true };
    if (raw === "content_filter") return { reason: "content-filter", raw, known: true };
    return { reason: "end", raw, known: false };
  }
  const known = status === "completed" || status === undefined;
  if (holds.toolCall) return { reason: "tool-use", raw: status, known };
  return { reason: holds.refusal ? "refusal" : "end", raw: status, known };
}

/** Why an answer is incomplete, in the dialect's words; undefined for one that is complete. */
export function writeIncomplete(reason: FinishReason | undefined): string | undefined {
  if (reason === "length" || reason === "context-exceeded") return "max_output_tokens";
  return reason === "content-filter" ? "content_filter" : undefined;
}
