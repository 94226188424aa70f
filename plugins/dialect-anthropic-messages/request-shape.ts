import type { ObjectShape, Shape } from "@vmx/core/kit";

const textPart: ObjectShape = { members: { text: "string" }, needs: ["text"] };
const source: ObjectShape = { members: { source: "object" }, needs: ["source"] };

const texts: Shape = {
  either: ["string", { each: { members: { type: "string" }, byType: { text: textPart } } }],
};

const block: ObjectShape = {
  members: { type: "string" },
  needs: ["type"],
  byType: {
    text: textPart,
    image: source,
    document: source,
    tool_use: {
      members: { id: "string", name: "string", input: "object" },
      needs: ["id", "name"],
    },
    tool_result: {
      members: { tool_use_id: "string", content: texts, is_error: "boolean" },
      needs: ["tool_use_id"],
    },
    thinking: { members: { thinking: "string", signature: "string" } },
  },
};

/** Types of the members the canonical call has a place for (API reference, "Create a message"). */
export const requestShape: ObjectShape = {
  members: {
    messages: { each: { members: { content: { either: ["string", { each: block }] } } } },
    system: {
      either: ["string", {
        each: { members: { type: { words: ["text"] }, text: "string" }, needs: ["type", "text"] },
      }],
    },
    tools: {
      each: {
        members: { name: "string", type: "string", description: "string", input_schema: "object" },
      },
    },
    tool_choice: { members: { type: "string", name: "string" }, needs: ["type"] },
    thinking: { members: { type: "string", budget_tokens: "number" }, needs: ["type"] },
    output_config: "object",
    max_tokens: "number",
    temperature: "number",
    top_p: "number",
    top_k: "number",
    stop_sequences: { each: "string" },
    metadata: "object",
    service_tier: "string",
  },
};
