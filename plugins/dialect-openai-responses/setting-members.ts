/** The members of a body each setting of the canonical call is read from, first choice first. */
export const settingMembers = {
  temperature: ["temperature"],
  topP: ["top_p"],
  logprobs: ["top_logprobs", "include"],
  topLogprobs: ["top_logprobs"],
  maxOutputTokens: ["max_output_tokens"],
  reasoning: ["reasoning/effort", "reasoning"],
  reasoningSummary: ["reasoning/summary", "reasoning/generate_summary"],
  output: ["text/format"],
  outputSchema: ["text/format/schema"],
  tools: ["tools"],
  toolChoice: ["tool_choice"],
  parallelToolCalls: ["parallel_tool_calls"],
  user: ["safety_identifier", "user"],
  serviceTier: ["service_tier"],
  metadata: ["metadata"],
} as const;
