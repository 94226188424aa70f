/** The members of a body each setting of the canonical call is read from, first choice first. */
export const settingMembers = {
  temperature: ["temperature"],
  topP: ["top_p"],
  topK: ["top_k"],
  stop: ["stop_sequences"],
  maxOutputTokens: ["max_tokens"],
  reasoning: ["output_config/effort", "thinking"],
  reasoningSummary: ["thinking/display"],
  output: ["output_config/format", "output_format"],
  outputSchema: ["output_config/format/schema", "output_format/schema"],
  tools: ["tools"],
  toolChoice: ["tool_choice"],
  parallelToolCalls: ["tool_choice/disable_parallel_tool_use"],
  user: ["metadata/user_id"],
  serviceTier: ["service_tier"],
  metadata: ["metadata"],
} as const;
