import type { ObjectShape, Shape } from "@vmx/core/kit";

const textPart: ObjectShape = { members: { text: "string" }, needs: ["text"] };

const parts: Shape = {
  either: ["string", {
    each: {
      members: { type: "string" },
      needs: ["type"],
      byType: { input_text: textPart, output_text: textPart },
    },
  }],
};

const call: ObjectShape = {
  members: { call_id: "string", name: "string", arguments: "string" },
  needs: ["call_id", "name"],
};

/** Types of the members the canonical call has a place for (API reference, "Create a model response"). */
export const requestShape: ObjectShape = {
  members: {
    input: {
      either: ["string", {
        each: {
          members: { type: "string", role: "string", content: parts },
          byType: {
            message: { members: {}, needs: ["content"] },
            function_call: call,
            function_call_output: {
              members: { call_id: "string", output: parts },
              needs: ["call_id"],
            },
          },
        },
      }],
    },
    instructions: "string",
    tools: {
      each: {
        members: { type: "string" },
        needs: ["type"],
        byType: {
          function: {
            members: {
              name: "string",
              description: "string",
              parameters: "object",
              strict: "boolean",
            },
            needs: ["name"],
          },
        },
      },
    },
    tool_choice: { either: ["string", "object"] },
    parallel_tool_calls: "boolean",
    text: { members: { format: { members: { type: "string" }, needs: ["type"] } } },
    reasoning: { members: { effort: "string", summary: "string" } },
    include: { each: "string" },
    temperature: "number",
    top_p: "number",
    top_logprobs: "number",
    max_output_tokens: "number",
    service_tier: "string",
    metadata: "object",
    user: "string",
    safety_identifier: "string",
  },
};
