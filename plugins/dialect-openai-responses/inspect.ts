import type { Json, JsonObject, Operation, RequestFacts } from "@vmx/core/contract";
import {
  estimateMediaTokens,
  estimateTokens,
  estimateWeights,
  type FactReaders,
  isObject,
  lazyFacts,
} from "@vmx/core/kit";
import { listOf, numberOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { contentOf, isSystemRole, itemType } from "./items.ts";

type Messages = RequestFacts["messages"];

/** Facts for routing and estimates; each is computed when it is read. */
export function inspect(body: JsonObject, operation: Operation): RequestFacts {
  return lazyFacts(body, operation, readers);
}

const readers: FactReaders = {
  messages: readMessages,
  system(body) {
    const texts = itemsOf(body["input"])
      .filter((item) => itemType(item) === "message" && isSystemRole(item["role"]))
      .map((item) => contentText(item["content"]));
    return [textOf(body["instructions"]) ?? "", ...texts].filter(Boolean).join("\n\n");
  },
  toolsCount: (body) => listOf(body["tools"]).length,
  hasImages: (body) => hasPart(body, ["input_image", "computer_screenshot"]),
  hasFiles: (body) => hasPart(body, ["input_file"]),
  inputTokens: estimateInput,
  maxOutputTokens: (body) => numberOf(body["max_output_tokens"]),
};

function hasPart(body: JsonObject, types: readonly string[]): boolean {
  return itemsOf(body["input"]).some((item) => {
    const content = contentOf(item);
    const parts = isObject(content) ? [content] : listOf(content);
    return parts.some((part) => types.includes(textOf(objectOf(part)?.["type"]) ?? ""));
  });
}

/** The text of content, whichever form it has; parts are joined by line breaks. */
export function contentText(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textOf(objectOf(part)?.["text"]))
    .filter((text) => text !== undefined)
    .join("\n");
}

/** Input items; a bare string is one message of the user. */
function itemsOf(input: Json | undefined): readonly JsonObject[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  return listOf(input).filter(isObject);
}

function readMessages(body: JsonObject): Messages {
  const found: { role: string; content: string }[] = [];
  for (const item of itemsOf(body["input"])) {
    const type = itemType(item);
    if (type === "message" && !isSystemRole(item["role"])) {
      found.push({ role: textOf(item["role"]) ?? "", content: contentText(item["content"]) });
    } else if (type === "function_call_output" || type === "custom_tool_call_output") {
      found.push({ role: "tool", content: contentText(item["output"]) });
    }
  }
  return found;
}

function estimateInput(body: JsonObject): number {
  let tokens: number = estimateWeights.perRequest;
  const instructions = textOf(body["instructions"]);
  if (instructions) tokens += estimateWeights.perMessage + estimateTokens(instructions);
  for (const item of itemsOf(body["input"])) {
    tokens += estimateWeights.perMessage;
    const content = contentOf(item);
    if (typeof content === "string") tokens += estimateTokens(content);
    else if (Array.isArray(content)) { for (const part of content) tokens += estimatePart(part); }
    else tokens += estimateTokens(JSON.stringify(content ?? item));
  }
  const tools = listOf(body["tools"]);
  if (tools.length > 0) tokens += estimateTokens(JSON.stringify(tools));
  return tokens;
}

function estimatePart(part: Json): number {
  if (!isObject(part)) return 0;
  switch (part["type"]) {
    case "input_text":
    case "output_text":
    case "refusal":
      return estimateTokens(textOf(part["text"]) ?? textOf(part["refusal"]) ?? "");
    case "input_image":
      return part["detail"] === "low" ? estimateWeights.imageLowDetail : estimateWeights.image;
    case "input_file":
      return estimateMedia(part["file_data"]);
    case "input_audio":
      return estimateMedia(objectOf(part["input_audio"])?.["data"]);
    default:
      return estimateTokens(JSON.stringify(part));
  }
}

function estimateMedia(data: Json | undefined): number {
  if (typeof data !== "string") return estimateWeights.mediaByReference;
  const head = data.startsWith("data:") ? data.indexOf(",") + 1 : 0;
  return estimateMediaTokens(data.length - head);
}
