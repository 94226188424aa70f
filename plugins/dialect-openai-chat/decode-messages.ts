import type {
  CacheMark,
  ContentPart,
  Json,
  JsonObject,
  NativeContent,
  SystemText,
  TextContent,
  ToolResultContent,
  Turn,
  Warning,
} from "@vmx/core/contract";
import {
  argumentsNotJson,
  isObject,
  membersDropped,
  readArguments,
  systemPartDropped,
} from "@vmx/core/kit";
import { audioType, fileType, readUrl } from "./media.ts";
import { flagOf, listOf, native, objectOf, pointer, textOf } from "./read-json.ts";
import { readReasoning, reasoningMembers } from "./reasoning.ts";

/** Messages in canonical form. */
export interface DecodedMessages {
  readonly system: readonly SystemText[];
  readonly turns: readonly Turn[];
  readonly warnings: readonly Warning[];
}

/** Splits messages into system texts and turns; each keeps its original spelling as its native. */
export function decodeMessages(messages: Json | undefined): DecodedMessages {
  const system: SystemText[] = [];
  const turns: Turn[] = [];
  const warnings: Warning[] = [];
  /** Ids given to calls of the legacy form, which has none: function name -> id. */
  const legacyIds = new Map<string, string>();
  let userSeen = false;

  listOf(messages).forEach((message, at) => {
    if (!isObject(message)) return;
    const path = pointer("messages", at);
    warnings.push(...lossOfMessage(message, path));
    switch (message["role"]) {
      case "system":
      case "developer":
        system.push(...decodeSystem(message, path, turns.length, userSeen));
        return;
      case "assistant":
        turns.push(decodeAssistant(message, { path, at, legacyIds, warnings }));
        return;
      case "tool":
      case "function":
        turns.push(decodeResult(message, path, legacyIds));
        return;
      default:
        userSeen = true;
        turns.push(turn("user", message, path, decodeContent(message["content"], path)));
    }
  });
  return { system, turns, warnings };
}

/** Members of a message that are carried on. */
const messageMembers: ReadonlySet<string> = new Set([
  "role",
  "content",
  "name",
  "refusal",
  "audio",
  "tool_calls",
  "tool_call_id",
  "function_call",
  "is_error",
  "reasoning_details",
  ...reasoningMembers,
]);

/** Instructions have no author elsewhere. */
const systemMembers = new Set(["role", "content"]);

/** Members of content parts that are carried on, by the parts' types, and of the objects inside them. */
const cacheMembers = ["type", "cache_control", "prompt_cache_breakpoint"];
const partMembers: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set([...cacheMembers, "text"]),
  refusal: new Set([...cacheMembers, "refusal"]),
  image_url: new Set([...cacheMembers, "image_url"]),
  input_audio: new Set([...cacheMembers, "input_audio"]),
  file: new Set([...cacheMembers, "file"]),
};
const mediaMembers = new Set([
  "url",
  "detail",
  "data",
  "format",
  "filename",
  "file_data",
  "file_id",
]);
const callMembers = new Set(["id", "type", "index", "function"]);
const calledMembers = new Set(["name", "arguments"]);

/** What of a message other dialects have no place for. Parts of unknown types are refused by whoever writes them. */
function lossOfMessage(message: JsonObject, path: string): Warning[] {
  const { role } = message;
  const instructs = role === "system" || role === "developer";
  const parts = listOf(message["content"]).flatMap((part, at) => {
    const type = isObject(part) ? textOf(part["type"]) ?? "" : "";
    if (instructs && type !== "text") {
      return [systemPartDropped(type, path + pointer("content", at))];
    }
    if (!isObject(part) || !Object.hasOwn(partMembers, type)) return [];
    const place = () => path + pointer("content", at);
    const media = objectOf(part[type]);
    return [
      ...membersDropped(part, place, partMembers[type]!),
      ...(media ? membersDropped(media, () => place() + pointer(type), mediaMembers) : []),
    ];
  });
  const calls = listOf(message["tool_calls"]).flatMap((call, at) => {
    const own = isObject(call) ? objectOf(call["function"]) : undefined;
    if (!isObject(call) || !own) return [];
    const place = () => path + pointer("tool_calls", at);
    return [
      ...membersDropped(call, place, callMembers),
      ...membersDropped(own, () => `${place()}/function`, calledMembers),
    ];
  });
  const known = instructs ? systemMembers : messageMembers;
  return [...membersDropped(message, () => path, known), ...parts, ...calls];
}

/** What a system text keeps of its message: `part` counts the parts of one message, 0 opens it. */
function decodeSystem(
  message: JsonObject,
  path: string,
  turnsBefore: number,
  late: boolean,
): SystemText[] {
  const { content, role } = message;
  const parts: readonly Json[] = Array.isArray(content) ? listOf(content) : [content ?? ""];
  return parts.map((part, at) => {
    const cache = isObject(part) ? readCache(part) : undefined;
    return {
      text: typeof part === "string" ? part : textOf(objectOf(part)?.["text"]) ?? "",
      role: role === "developer" ? "developer" : "system",
      path,
      ...(late ? { late } : {}),
      ...(turnsBefore > 0 ? { turnsBefore } : {}),
      ...(cache ? { cache } : {}),
      native: native({
        part: at,
        ...(isObject(part) ? { original: part } : {}),
        ...(at === 0 ? { message: { ...message, content: null } } : {}),
      }),
    };
  });
}

interface AssistantContext {
  readonly path: string;
  readonly at: number;
  readonly legacyIds: Map<string, string>;
  readonly warnings: Warning[];
}

function decodeAssistant(message: JsonObject, context: AssistantContext): Turn {
  const { path, at, legacyIds, warnings } = context;
  const parts: ContentPart[] = [...readReasoning(message)];
  parts.push(...decodeContent(message["content"], path));
  const refusal = textOf(message["refusal"]);
  if (refusal !== undefined) parts.push({ type: "refusal", text: refusal });
  const audio = objectOf(message["audio"]);
  if (audio) parts.push({ type: "native", kind: "audio", native: native(audio) });
  listOf(message["tool_calls"]).forEach((call, index) => {
    if (isObject(call)) parts.push(decodeCall(call, pointer("tool_calls", index), context));
  });
  const legacy = objectOf(message["function_call"]);
  if (legacy) {
    const name = textOf(legacy["name"]) ?? "";
    const id = `call_${at}_${name}`;
    legacyIds.set(name, id);
    const argumentText = textOf(legacy["arguments"]) ?? "";
    parts.push({
      type: "tool-call",
      id,
      name,
      ...decodeArguments(argumentText, `${path}/function_call/arguments`, warnings),
      native: native({ function_call: legacy }),
    });
  }
  return turn("assistant", message, path, parts);
}

function decodeCall(call: JsonObject, step: string, context: AssistantContext): ContentPart {
  const own = objectOf(call["function"]);
  // Custom tools take free text, which no other dialect has.
  if (!own) {
    return { type: "native", kind: textOf(call["type"]) ?? "tool_call", native: native(call) };
  }
  return {
    type: "tool-call",
    id: textOf(call["id"]) ?? "",
    name: textOf(own["name"]) ?? "",
    path: context.path + step,
    ...decodeArguments(
      textOf(own["arguments"]) ?? "",
      `${context.path}${step}/function/arguments`,
      context.warnings,
    ),
    native: native(call),
  };
}

function decodeArguments(
  text: string,
  path: string,
  warnings: Warning[],
): { readonly input: JsonObject; readonly inputText: string } {
  const { input, broken } = readArguments(text);
  if (broken) warnings.push(argumentsNotJson(path));
  return { input, inputText: text };
}

function decodeResult(
  message: JsonObject,
  path: string,
  legacyIds: ReadonlyMap<string, string>,
): Turn {
  const name = textOf(message["name"]);
  const callId = textOf(message["tool_call_id"]) ??
    (name === undefined ? undefined : legacyIds.get(name)) ?? "";
  const isError = flagOf(message["is_error"]);
  const result: ToolResultContent = {
    type: "tool-result",
    callId,
    path,
    ...(name === undefined ? {} : { name }),
    content: decodeContent(message["content"], path).map(forResult),
    ...(isError === undefined ? {} : { isError }),
  };
  return { role: "tool", path, parts: [result], native: native(message) };
}

function forResult(part: ContentPart): ToolResultContent["content"][number] {
  if (
    part.type === "text" || part.type === "image" || part.type === "file" || part.type === "native"
  ) return part;
  const { path, native: original = native({ type: part.type }) } = part;
  return {
    type: "native",
    kind: part.type,
    ...(path === undefined ? {} : { path }),
    native: original,
  };
}

/** Content in either form. A bare string has no native of its own. */
function decodeContent(content: Json | undefined, message: string): ContentPart[] {
  const path = `${message}/content`;
  if (typeof content === "string") return [{ type: "text", text: content, path }];
  return listOf(content).flatMap((part, at) => {
    if (!isObject(part)) return [];
    const cache = readCache(part);
    return { ...decodePart(part), path: path + pointer(at), ...(cache ? { cache } : {}) };
  });
}

function decodePart(part: JsonObject): ContentPart {
  const kept = { native: native(part) };
  const type = textOf(part["type"]) ?? "";
  if (type === "text" && typeof part["text"] === "string") {
    const text: TextContent = { type, text: part["text"], ...kept };
    return text;
  }
  if (type === "refusal" && typeof part["refusal"] === "string") {
    return { type, text: part["refusal"], ...kept };
  }
  const image = objectOf(part["image_url"]);
  if (type === "image_url" && typeof image?.["url"] === "string") {
    const detail = textOf(image["detail"]);
    return {
      type: "image",
      source: readUrl(image["url"]),
      ...(detail === undefined ? {} : { detail }),
      ...kept,
    };
  }
  const audio = objectOf(part["input_audio"]);
  if (type === "input_audio" && typeof audio?.["data"] === "string") {
    const format = textOf(audio["format"]) ?? "wav";
    return {
      type: "audio",
      source: { kind: "base64", mediaType: audioType(format), data: audio["data"] },
      format,
      ...kept,
    };
  }
  const file = objectOf(part["file"]);
  return type === "file" && file ? decodeFile(file, part) : unknownPart(part);
}

function decodeFile(file: JsonObject, part: JsonObject): ContentPart {
  const name = textOf(file["filename"]);
  const data = textOf(file["file_data"]);
  const id = textOf(file["file_id"]);
  if (data === undefined && id === undefined) return unknownPart(part);
  return {
    type: "file",
    source: data === undefined
      ? { kind: "id", id: id! }
      : /^(data|https?):/.test(data)
      ? readUrl(data)
      : { kind: "base64", mediaType: fileType(name), data },
    ...(name === undefined ? {} : { name }),
    native: native(part),
  };
}

function unknownPart(part: JsonObject): NativeContent {
  return { type: "native", kind: textOf(part["type"]) ?? "unknown", native: native(part) };
}

/** `prompt_cache_breakpoint` of OpenAI, `cache_control` of services that also speak for Anthropic. */
function readCache(part: JsonObject): CacheMark | undefined {
  const mark = objectOf(part["cache_control"]) ?? objectOf(part["prompt_cache_breakpoint"]);
  if (!mark) return undefined;
  const ttl = textOf(mark["ttl"]);
  return ttl === undefined ? {} : { ttl };
}

function turn(
  role: Turn["role"],
  message: JsonObject,
  path: string,
  parts: readonly ContentPart[],
): Turn {
  const name = textOf(message["name"]);
  return {
    role,
    ...(name === undefined ? {} : { name }),
    path,
    parts: parts.map((part) => ({ path, ...part })),
    native: native(message),
  };
}
