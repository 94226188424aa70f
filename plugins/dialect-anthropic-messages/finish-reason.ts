import type { FinishReason } from "@vmx/core/contract";

const canonical: Readonly<Record<string, FinishReason>> = {
  end_turn: "end",
  stop_sequence: "stop-sequence",
  max_tokens: "length",
  model_context_window_exceeded: "context-exceeded",
  tool_use: "tool-use",
  refusal: "refusal",
  pause_turn: "pause",
};

const spelled: Readonly<Record<FinishReason, string>> = {
  "end": "end_turn",
  "stop-sequence": "stop_sequence",
  "length": "max_tokens",
  "context-exceeded": "model_context_window_exceeded",
  "tool-use": "tool_use",
  "content-filter": "refusal",
  "refusal": "refusal",
  "pause": "pause_turn",
  "malformed-tool": "tool_use",
  "malformed-output": "end_turn",
};

/** A stop reason read from the wire. */
export interface ReadReason {
  readonly reason: FinishReason;
  /** False when the spelling is not one of the dialect's. */
  readonly known: boolean;
}

/** Reads a `stop_reason`. */
export function readStopReason(raw: string | undefined): ReadReason {
  const reason = raw !== undefined && Object.hasOwn(canonical, raw) ? canonical[raw] : undefined;
  return reason === undefined ? { reason: "end", known: false } : { reason, known: true };
}

/** The dialect's word for a canonical reason. */
export function writeStopReason(reason: FinishReason): string {
  return spelled[reason];
}
