import type { FinishReason } from "@vmx/core/contract";

const canonical: Readonly<Record<string, FinishReason>> = {
  end_turn: "end",
  stop_sequence: "stop-sequence",
  max_tokens: "length",
  model_context_window_exceeded: "context-exceeded",
  tool_use: "tool-use",
  content_filtered: "content-filter",
  guardrail_intervened: "content-filter",
  malformed_tool_use: "malformed-tool",
  malformed_model_output: "malformed-output",
  // Not in the reference, but words of models behind the service.
  refusal: "refusal",
  pause_turn: "pause",
};

const spelled: Readonly<Record<FinishReason, string>> = {
  "end": "end_turn",
  "stop-sequence": "stop_sequence",
  "length": "max_tokens",
  "context-exceeded": "model_context_window_exceeded",
  "tool-use": "tool_use",
  "content-filter": "content_filtered",
  "refusal": "refusal",
  "pause": "pause_turn",
  "malformed-tool": "malformed_tool_use",
  "malformed-output": "malformed_model_output",
};

/** The canonical reason of a `stopReason`; undefined for a word that is not one of the dialect's. */
export function readStopReason(raw: string | undefined): FinishReason | undefined {
  return raw !== undefined && Object.hasOwn(canonical, raw) ? canonical[raw] : undefined;
}

/** The dialect's word for a canonical reason. */
export function writeStopReason(reason: FinishReason): string {
  return spelled[reason];
}
