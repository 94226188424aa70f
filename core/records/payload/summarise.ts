/** Members whose short texts are words of the protocol rather than somebody's. */
const words = new Set([
  "role",
  "type",
  "name",
  "model",
  "object",
  "format",
  "media_type",
  "mimeType",
  "mime_type",
  "finish_reason",
  "finishReason",
  "stop_reason",
  "stopReason",
  "status",
  "service_tier",
  "effort",
  "reasoning_effort",
  "tool_choice",
  "modalities",
]);

/** Members that hold what a tool was called with or answered, or the shape of it. */
const toolData = new Set([
  "arguments",
  "args",
  "input",
  "parameters",
  "input_schema",
  "inputSchema",
  "schema",
  "response",
  "toolResult",
]);

const maxWordLength = 128;

/**
 * What may be known of a body when its text must not be: roles, kinds of parts, names of tools, and parameters that
 * are no text. A text becomes its length, what a tool was called with or answered becomes its size.
 */
export function summarise(value: unknown, member = ""): unknown {
  if (typeof value === "string") {
    return words.has(member) && value.length <= maxWordLength ? value : { length: value.length };
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const { length } = value;
    // Vectors tell nothing but their length.
    if (length > 0 && value.every((item) => typeof item === "number")) return { length };
    return value.map((item: unknown) => summarise(item, member));
  }
  if (toolData.has(member)) return { bytes: Buffer.byteLength(JSON.stringify(value)) };
  // A name above a map, such as the metadata's, is somebody's text as well.
  if (member === "metadata") return { members: Object.keys(value).length };
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, summarise(item, name)]),
  );
}
