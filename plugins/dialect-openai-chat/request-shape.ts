import type { ObjectShape, Shape } from "@vmx/core/kit";

const named: ObjectShape = {
  members: { name: "string", description: "string", parameters: "object", strict: "boolean" },
  needs: ["name"],
};

const called: ObjectShape = { members: { name: "string", arguments: "string" }, needs: ["name"] };

const textPart: ObjectShape = { members: { text: "string" }, needs: ["text"] };

const content: Shape = {
  either: ["string", {
    each: { members: { type: "string" }, needs: ["type"], byType: { text: textPart } },
  }],
};

const message: ObjectShape = {
  members: {
    role: { words: ["system", "developer", "user", "assistant", "tool", "function"] },
    content,
    name: "string",
    refusal: "string",
    tool_call_id: "string",
    function_call: called,
    tool_calls: {
      each: {
        members: { id: "string", type: "string" },
        byType: { function: { members: { function: called }, needs: ["function"] } },
      },
    },
  },
};

/** Types of the members the canonical call has a place for (API reference, "Create chat completion"). */
export const requestShape: ObjectShape = {
  members: {
    messages: { each: message },
    tools: {
      each: {
        members: { type: "string" },
        needs: ["type"],
        byType: { function: { members: { function: named }, needs: ["function"] } },
      },
    },
    functions: { each: named },
    tool_choice: { either: ["string", "object"] },
    function_call: { either: ["string", "object"] },
    parallel_tool_calls: "boolean",
    response_format: { members: { type: "string" }, needs: ["type"] },
    web_search_options: "object",
    temperature: "number",
    top_p: "number",
    top_k: "number",
    frequency_penalty: "number",
    presence_penalty: "number",
    seed: "number",
    logit_bias: "object",
    logprobs: "boolean",
    top_logprobs: "number",
    n: "number",
    stop: { either: ["string", { each: "string" }] },
    max_tokens: "number",
    max_completion_tokens: "number",
    reasoning_effort: "string",
    service_tier: "string",
    metadata: "object",
    user: "string",
    safety_identifier: "string",
    stream_options: "object",
  },
};
