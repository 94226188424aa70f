/** How far something has come, which its end tells too. */
const progress =
  /\.(created|in_progress|queued|searching|generating|interpreting|compacting|completed|failed|partial_image|done)$/;

/** Pieces of what the item's own end repeats whole. */
const pieces =
  /^response\.(code_interpreter_call_code|custom_tool_call_input|mcp_call_arguments|reasoning_summary_part|shell_call_command|shell_call_output_content)\./;

/** Whether an event that is not read tells nothing but what an item, or the response, repeats at its end. */
export function isRepeated(type: string): boolean {
  return progress.test(type) || pieces.test(type) || type === "keepalive" || type === "";
}
