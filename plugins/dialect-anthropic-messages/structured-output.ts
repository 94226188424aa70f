import type { JsonObject, OutputFormat } from "@vmx/core/contract";

/**
 * The tool that stands in for a JSON answer on models without structured outputs. Its name is its mark: calls of it
 * are read as the answer's text. The second form wraps answers that are no objects, because arguments always are.
 */
export const answerTool = "vmx_structured_output";
const wrappedAnswerTool = "vmx_structured_output_value";
const wrapper = "value";

/** Writes the tool whose arguments are the answer. */
export function writeAnswerTool(output: Exclude<OutputFormat, { type: "text" }>): JsonObject {
  const schema: JsonObject = output.type === "json-schema" ? output.schema : { type: "object" };
  const described = output.type === "json-schema" ? output.description : undefined;
  const description =
    "Gives the final answer to the user. Call it once, with the whole answer as its input" +
    `${described === undefined ? "." : `: ${described}`}`;
  if (isObjectSchema(schema)) {
    return { name: answerTool, description, input_schema: { ...schema, type: "object" } };
  }
  const { $defs, definitions, ...root } = schema;
  return {
    name: wrappedAnswerTool,
    description,
    input_schema: {
      type: "object",
      properties: { [wrapper]: root },
      required: [wrapper],
      ...($defs === undefined ? {} : { $defs }),
      ...(definitions === undefined ? {} : { definitions }),
    },
  };
}

/** How a call of the name is to be read: as the answer, as the answer inside a wrapper, or as a call. */
export function answerForm(name: string): "whole" | "wrapped" | undefined {
  return name === answerTool ? "whole" : name === wrappedAnswerTool ? "wrapped" : undefined;
}

/** The answer's JSON text out of the wrapper's. */
export function unwrapAnswer(text: string): string {
  try {
    const value = (JSON.parse(text) as JsonObject)[wrapper];
    return value === undefined ? text : JSON.stringify(value);
  } catch {
    // A cut answer is given as far as it came.
    return text;
  }
}

function isObjectSchema(schema: JsonObject): boolean {
  return schema["type"] === "object" || schema["properties"] !== undefined ||
    Object.keys(schema).length === 0;
}
