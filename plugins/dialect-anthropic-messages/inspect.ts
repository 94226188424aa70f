import type { Json, JsonObject, Operation, RequestFacts } from "@vmx/core/contract";
import {
  estimateMediaTokens,
  estimateTokens,
  estimateWeights,
  type FactReaders,
  lazyFacts,
} from "@vmx/core/kit";
import { contentText } from "./decode-blocks.ts";
import { listOf, numberOf, objectOf, objectsOf, textOf } from "./read-json.ts";

type Messages = RequestFacts["messages"];

/** Facts for routing and estimates; each is computed when it is read. */
export function inspect(body: JsonObject, operation: Operation): RequestFacts {
  return lazyFacts(body, operation, readers);
}

const readers: FactReaders = {
  messages: readMessages,
  system(body) {
    const late = objectsOf(body["messages"]).filter(({ role }) => role === "system");
    return [body["system"], ...late.map(({ content }) => content)]
      .map((content) => joinSystem(content)).filter((text) => text !== "").join("\n\n");
  },
  toolsCount: (body) => listOf(body["tools"]).length,
  hasImages: (body) => objectsOf(body["messages"]).some(({ content }) => holds(content, "image")),
  hasFiles: (body) =>
    objectsOf(body["messages"]).some(({ content }) =>
      holds(content, "document") || holds(content, "container_upload")
    ),
  inputTokens: estimateInput,
  maxOutputTokens: (body) => numberOf(body["max_tokens"]),
};

function joinSystem(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return objectsOf(content).map((block) => textOf(block["text"]) ?? "").join("\n\n");
}

function holds(content: Json | undefined, type: string): boolean {
  return objectsOf(content).some((block) =>
    block["type"] === type || (block["type"] === "tool_result" && holds(block["content"], type))
  );
}

/** Tool results stand in user messages here; rules see them as messages of the role `tool`. */
function readMessages(body: JsonObject): Messages {
  const found: { role: string; content: string }[] = [];
  for (const { role, content } of objectsOf(body["messages"])) {
    if (role === "system") continue;
    const blocks = objectsOf(content);
    const results = blocks.filter((block) => block["type"] === "tool_result");
    for (const result of results) {
      found.push({ role: "tool", content: contentText(result["content"]) });
    }
    if (results.length > 0 && results.length === blocks.length) continue;
    found.push({ role: textOf(role) ?? "", content: contentText(content) });
  }
  return found;
}

function estimateInput(body: JsonObject): number {
  const { perRequest, perMessage } = estimateWeights;
  let tokens: number = perRequest;
  if (body["system"]) tokens += perMessage + estimateContent(body["system"]);
  for (const { content } of objectsOf(body["messages"])) {
    tokens += perMessage + estimateContent(content);
  }
  for (const tools of [body["tools"], body["mcp_servers"]]) {
    if (listOf(tools).length > 0) tokens += estimateTokens(JSON.stringify(tools));
  }
  return tokens;
}

function estimateContent(content: Json | undefined): number {
  if (typeof content === "string") return estimateTokens(content);
  return objectsOf(content).reduce((tokens, block) => tokens + estimateBlock(block), 0);
}

function estimateBlock(block: JsonObject): number {
  switch (block["type"]) {
    case "text":
      return estimateTokens(textOf(block["text"]) ?? "");
    case "thinking":
      return estimateTokens(textOf(block["thinking"]) ?? "");
    case "image":
      return estimateWeights.image;
    case "document":
      return estimateDocument(objectOf(block["source"]));
    case "tool_result":
    case "search_result":
      return estimateContent(block["content"]);
    default:
      return estimateTokens(JSON.stringify(block));
  }
}

function estimateDocument(source: JsonObject | undefined): number {
  if (source?.["type"] === "content") return estimateContent(source["content"]);
  const data = textOf(source?.["data"]);
  if (data === undefined) return estimateWeights.mediaByReference;
  return source?.["type"] === "text" ? estimateTokens(data) : estimateMediaTokens(data.length);
}
