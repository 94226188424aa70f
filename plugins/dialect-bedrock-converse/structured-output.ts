import type { Call, JsonObject, OutputFormat } from "@vmx/core/contract";
import { compact } from "./read-json.ts";

/**
 * The tool that stands in where a model has no structured output: its arguments are the answer. The decoders know it
 * by its name, which no caller has a reason to use.
 */
export const answerTool = "vmx_structured_answer";

/** What the answer has to be, when it is more than plain text. */
export function structureOf({ output }: Call): Exclude<OutputFormat, { type: "text" }> | undefined {
  return output === undefined || output.type === "text" ? undefined : output;
}

/** Writes the stand-in tool. */
export function encodeAnswerTool(output: Exclude<OutputFormat, { type: "text" }>): JsonObject {
  const schema = output.type === "json-schema" ? output.schema : {};
  const described = output.type === "json-schema" ? output.description : undefined;
  const task = "Give the final answer by calling this tool; its arguments are the answer.";
  return {
    toolSpec: {
      name: answerTool,
      description: described === undefined ? task : `${task} ${described}`,
      inputSchema: { json: objectSchema(schema) },
    },
  };
}

/** Writes the answer's schema for models that take it; schemas are JSON text here. */
export function encodeOutputConfig(
  output: Extract<OutputFormat, { type: "json-schema" }>,
): JsonObject {
  const name = output.name?.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64);
  const jsonSchema = compact({
    schema: JSON.stringify(output.schema),
    name: name || undefined,
    description: output.description || undefined,
  });
  return { textFormat: { type: "json_schema", structure: { jsonSchema } } };
}

/** A schema of arguments: the service wants an object at its head. */
export function objectSchema(schema: JsonObject | undefined): JsonObject {
  if (schema?.["type"] === "object") return schema;
  const { type: _type, ...rest } = schema ?? {};
  return {
    type: "object",
    ...(rest["properties"] === undefined ? { properties: {} } : {}),
    ...rest,
  };
}
