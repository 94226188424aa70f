import type OpenAI from "openai";
import { expect, test } from "vitest";
import { createStreamDecoder } from "./stream-decoder.ts";

/** What becomes of each event of the client's types that neither opens nor ends an answer. */
const events: Readonly<
  Record<OpenAI.Responses.ResponseStreamEvent["type"], "read" | "repeated" | "lost">
> = {
  "response.audio.delta": "lost",
  "response.audio.done": "repeated",
  "response.audio.transcript.delta": "lost",
  "response.audio.transcript.done": "repeated",
  "response.code_interpreter_call.completed": "repeated",
  "response.code_interpreter_call.in_progress": "repeated",
  "response.code_interpreter_call.interpreting": "repeated",
  "response.code_interpreter_call_code.delta": "repeated",
  "response.code_interpreter_call_code.done": "repeated",
  "response.compaction.compacting": "repeated",
  "response.completed": "read",
  "response.content_part.added": "read",
  "response.content_part.done": "read",
  "response.created": "read",
  "response.custom_tool_call_input.delta": "repeated",
  "response.custom_tool_call_input.done": "repeated",
  "error": "read",
  "response.failed": "read",
  "response.file_search_call.completed": "repeated",
  "response.file_search_call.in_progress": "repeated",
  "response.file_search_call.searching": "repeated",
  "response.function_call_arguments.delta": "read",
  "response.function_call_arguments.done": "repeated",
  "response.image_generation_call.completed": "repeated",
  "response.image_generation_call.generating": "repeated",
  "response.image_generation_call.in_progress": "repeated",
  "response.image_generation_call.partial_image": "repeated",
  "response.in_progress": "read",
  "response.incomplete": "read",
  "response.mcp_call.completed": "repeated",
  "response.mcp_call.failed": "repeated",
  "response.mcp_call.in_progress": "repeated",
  "response.mcp_call_arguments.delta": "repeated",
  "response.mcp_call_arguments.done": "repeated",
  "response.mcp_list_tools.completed": "repeated",
  "response.mcp_list_tools.failed": "repeated",
  "response.mcp_list_tools.in_progress": "repeated",
  "response.output_item.added": "read",
  "response.output_item.done": "read",
  "response.output_text.annotation.added": "read",
  "response.output_text.delta": "read",
  "response.output_text.done": "read",
  "response.queued": "repeated",
  "response.reasoning_summary_part.added": "repeated",
  "response.reasoning_summary_part.done": "repeated",
  "response.reasoning_summary_text.delta": "read",
  "response.reasoning_summary_text.done": "repeated",
  "response.reasoning_text.delta": "read",
  "response.reasoning_text.done": "repeated",
  "response.refusal.delta": "read",
  "response.refusal.done": "repeated",
  "response.shell_call_command.added": "repeated",
  "response.shell_call_command.delta": "repeated",
  "response.shell_call_command.done": "repeated",
  "response.shell_call_output_content.delta": "repeated",
  "response.shell_call_output_content.done": "repeated",
  "response.web_search_call.completed": "repeated",
  "response.web_search_call.in_progress": "repeated",
  "response.web_search_call.searching": "repeated",
};

const response = { id: "resp_1", model: "m", output: [] };

test.each([...Object.entries(events), ["response.hologram.delta", "lost"] as const])(
  "of a stream, the event %s is %s",
  (type, fate) => {
    const decoder = createStreamDecoder();
    const send = (event: object) => decoder.push({ data: JSON.stringify(event) });
    send({ type: "response.created", response: { ...response, status: "in_progress" } });
    for (let time = 0; time < 2; time++) {
      const told = send({ type, delta: "Hi", output_index: 0, item_id: "i", response: {} });
      if (fate !== "read") expect(told).toEqual([]);
    }
    // Once, however often it comes.
    expect(decoder.warnings?.filter(({ code }) => code === "answer_part_dropped")).toEqual(
      fate === "lost"
        ? [{ code: "answer_part_dropped", path: "/output", action: "dropped", detail: type }]
        : [],
    );
  },
);
