import type { Call, ContentPart, Json, JsonObject, MediaSource } from "../contract/index.ts";

/**
 * What of a request must reach the provider, whichever dialects it goes through: who said what in which order, calls
 * with their arguments and results with their texts, the tools, and the settings every dialect has.
 */
export function requestMeaning(call: Call): JsonObject {
  const said: { role: string; type: string; value: Json }[] = [];
  for (const turn of call.turns) {
    for (const part of turn.parts) {
      const value = valueOf(part);
      if (value === undefined) continue;
      const role = turn.role === "tool" ? "user" : turn.role;
      const last = said.at(-1);
      // Dialects put borders between texts in other places.
      if (part.type === "text" && last?.type === "text" && last.role === role) {
        last.value = `${String(last.value)}${String(value)}`;
      } else said.push({ role, type: part.type, value });
    }
  }
  const { temperature, topP, stop } = call.sampling;
  return JSON.parse(JSON.stringify({
    system: call.system.map(({ text }) => text).join("\n\n"),
    said,
    tools: call.tools.flatMap((tool) =>
      tool.type === "function" ? [{ name: tool.name, description: tool.description ?? "" }] : []
    ),
    toolChoice: call.tools.length > 0 ? call.toolChoice : undefined,
    maxOutputTokens: call.maxOutputTokens,
    output: call.output?.type === "text" ? undefined : call.output?.type,
    // 1 is what happens anyway.
    temperature: temperature === 1 ? undefined : temperature,
    topP,
    stop: stop?.length ? stop : undefined,
  })) as JsonObject;
}

function valueOf(part: ContentPart): Json | undefined {
  switch (part.type) {
    case "text":
      // Some services refuse texts of white space alone.
      return part.text.trim() === "" ? undefined : part.text;
    case "refusal":
      return part.text;
    case "image":
    case "file":
    case "audio":
      return bytesOf(part.source);
    case "tool-call":
      return { name: part.name, input: part.input };
    case "tool-result":
      // A dialect may have one text where another has several.
      return part.content.map((each) =>
        each.type === "text" ? each.text : each.type === "native" ? each.kind : bytesOf(each.source)
      ).join("\n");
    // Reasoning and native parts go to their own family only.
    default:
      return undefined;
  }
}

/** What is at the source, however it is spelled. */
function bytesOf(source: MediaSource): string {
  switch (source.kind) {
    case "url":
      return source.url;
    case "base64":
      return source.data;
    case "text":
      return Buffer.from(source.text).toString("base64");
    case "id":
      return source.id;
  }
}
