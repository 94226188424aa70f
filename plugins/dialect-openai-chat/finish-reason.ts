import type { FinishReason } from "@vmx/core/contract";

const canonical: Readonly<Record<string, FinishReason>> = {
  stop: "end",
  length: "length",
  tool_calls: "tool-use",
  function_call: "tool-use",
  content_filter: "content-filter",
};

const spelled: Readonly<Record<FinishReason, string>> = {
  "end": "stop",
  "stop-sequence": "stop",
  "length": "length",
  "context-exceeded": "length",
  "tool-use": "tool_calls",
  "content-filter": "content_filter",
  "refusal": "stop",
  "pause": "stop",
  "malformed-tool": "tool_calls",
  "malformed-output": "stop",
};

/** Reasons whose spelling tells less than they do. */
const approximated: ReadonlySet<FinishReason> = new Set([
  "pause",
  "malformed-tool",
  "malformed-output",
]);

/** A finish reason read from the wire. */
export interface ReadReason {
  readonly reason: FinishReason;
  /** False when the spelling is not one of the dialect's. */
  readonly known: boolean;
}

/**
 * Reads a `finish_reason`. A refusal and a forced tool call both end with `stop` on the wire: what the choice
 * holds decides (providers-and-dialects.md §3.2).
 */
export function readFinishReason(
  raw: string | undefined,
  holds: { readonly toolCall: boolean; readonly refusal: boolean },
): ReadReason {
  const reason = raw !== undefined && Object.hasOwn(canonical, raw) ? canonical[raw] : undefined;
  if (reason === undefined) return { reason: "end", known: false };
  if (reason !== "end") return { reason, known: true };
  if (holds.toolCall) return { reason: "tool-use", known: true };
  return { reason: holds.refusal ? "refusal" : "end", known: true };
}

/** The dialect's word for a canonical reason. */
export function writeFinishReason(reason: FinishReason): string {
  return spelled[reason];
}

/** Whether the dialect's word tells less than the canonical reason. */
export function isApproximated(reason: FinishReason): boolean {
  return approximated.has(reason);
}
