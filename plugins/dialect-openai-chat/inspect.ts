import type { Json, JsonObject, Operation, RequestFacts } from "@vmx/core/contract";
import {
  estimateJsonTokens,
  estimateMediaTokens,
  estimateTokens,
  estimateWeights,
  type FactReaders,
  isObject,
  lazyFacts,
} from "@vmx/core/kit";
import { listOf, numberOf, objectOf, textOf } from "./read-json.ts";

type Messages = RequestFacts["messages"];

/** Facts for routing and estimates; each is computed when it is read. */
export function inspect(body: JsonObject, operation: Operation): RequestFacts {
  return lazyFacts(body, operation, readers);
}

const readers: FactReaders = {
  messages: (body) => readMessages(body, isConversation),
  system: (body) => readMessages(body, isSystem).map(({ content }) => content).join("\n\n"),
  toolsCount: (body) => listOf(body["tools"]).length + listOf(body["functions"]).length,
  hasImages: (body) => hasPart(body, "image_url"),
  hasFiles: (body) => hasPart(body, "file"),
  inputTokens: (body, operation) =>
    operation === "embeddings" ? estimateInput(body["input"]) : estimateMessages(body),
  maxOutputTokens(body, operation) {
    if (operation === "embeddings") return 0;
    const limit = numberOf(body["max_completion_tokens"]) ?? numberOf(body["max_tokens"]);
    return limit === undefined ? undefined : limit * Math.max(1, numberOf(body["n"]) ?? 1);
  },
};

function hasPart(body: JsonObject, type: string): boolean {
  return listOf(body["messages"]).some((message) =>
    listOf(objectOf(message)?.["content"]).some((part) => objectOf(part)?.["type"] === type)
  );
}

/** The text of a message's content, whichever form it has; parts are joined by line breaks. */
export function contentText(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textOf(objectOf(part)?.["text"]))
    .filter((text) => text !== undefined)
    .join("\n");
}

const isSystem = (role: string): boolean => role === "system" || role === "developer";
const isConversation = (role: string): boolean => !isSystem(role);

function readMessages(body: JsonObject, wanted: (role: string) => boolean): Messages {
  const found: { role: string; content: string }[] = [];
  for (const message of listOf(body["messages"])) {
    if (!isObject(message)) continue;
    const role = textOf(message["role"]) ?? "";
    if (wanted(role)) found.push({ role, content: contentText(message["content"]) });
  }
  return found;
}

const spokenMembers = ["reasoning_content", "reasoning", "refusal"] as const;

function estimateMessages(body: JsonObject): number {
  let tokens: number = estimateWeights.perRequest;
  for (const message of listOf(body["messages"])) {
    if (!isObject(message)) continue;
    tokens += estimateWeights.perMessage;
    const { content, tool_calls: calls, function_call: call } = message;
    if (typeof content === "string") tokens += estimateTokens(content);
    else for (const part of listOf(content)) tokens += estimatePart(part);
    for (const member of spokenMembers) {
      const text = message[member];
      if (typeof text === "string") tokens += estimateTokens(text);
    }
    tokens += (calls ? estimateJsonTokens(calls) : 0) + (call ? estimateJsonTokens(call) : 0);
  }
  for (const tools of [body["tools"], body["functions"]]) {
    if (listOf(tools).length > 0) tokens += estimateJsonTokens(tools);
  }
  return tokens;
}

function estimatePart(part: Json): number {
  if (!isObject(part)) return 0;
  switch (part["type"]) {
    case "text":
    case "refusal":
      return estimateTokens(textOf(part["text"]) ?? textOf(part["refusal"]) ?? "");
    case "image_url":
      return objectOf(part["image_url"])?.["detail"] === "low"
        ? estimateWeights.imageLowDetail
        : estimateWeights.image;
    case "input_audio":
      return estimateMedia(objectOf(part["input_audio"])?.["data"]);
    case "file":
      return estimateMedia(objectOf(part["file"])?.["file_data"]);
    default:
      return estimateJsonTokens(part);
  }
}

function estimateMedia(data: Json | undefined): number {
  if (typeof data !== "string") return estimateWeights.mediaByReference;
  const head = data.startsWith("data:") ? data.indexOf(",") + 1 : 0;
  return estimateMediaTokens(data.length - head);
}

/** Input of an embeddings call: texts by estimate, token arrays by their length. */
function estimateInput(input: Json | undefined): number {
  let tokens: number = estimateWeights.perRequest;
  for (const item of typeof input === "string" ? [input] : listOf(input)) {
    if (typeof item === "string") tokens += estimateTokens(item);
    else tokens += Array.isArray(item) ? item.length : 1;
  }
  return tokens;
}
