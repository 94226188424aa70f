import {
  type ContentPart,
  GatewayError,
  type Json,
  type JsonObject,
  type SystemText,
  type ToolCallContent,
  type ToolResultContent,
  type Turn,
  type Warning,
} from "@vmx/core/contract";
import { argumentsNotJson, isObject, readArguments } from "@vmx/core/kit";
import { listOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";
import { decodeContent } from "./decode-content.ts";
import { decodeReasoning } from "./decode-reasoning.ts";
import { isFromCaller, itemType } from "./items.ts";
import { native, omit } from "./native.ts";

/** Instructions and input in canonical form. */
export interface DecodedInput {
  readonly system: readonly SystemText[];
  readonly turns: readonly Turn[];
  readonly warnings: readonly Warning[];
}

/**
 * Splits `instructions` and `input` into system texts and turns. What the model said in a row (reasoning, messages,
 * tool calls) is one turn, and so are the results of its calls. Every part keeps its item's spelling:
 * parts of one message are counted by `at`, and the first holds the message itself.
 *
 * Throws `invalid_request` for a message of an unknown role.
 */
export function decodeInput(body: JsonObject): DecodedInput {
  const warnings: Warning[] = [];
  const system: SystemText[] = [];
  const turns: (Omit<Turn, "parts"> & { readonly parts: ContentPart[] })[] = [];
  /** False once something came between that must keep its place. */
  let joinable = false;
  let userSeen = false;

  const say = (role: "assistant" | "tool", at: number, ...parts: ContentPart[]): void => {
    const last = turns.at(-1);
    const path = pointer("input", at);
    const placed = parts.map((part) => ({ path, ...part }));
    if (joinable && last?.role === role) last.parts.push(...placed);
    else turns.push({ role, path, parts: placed });
    joinable = true;
  };
  const readMessage = (item: JsonObject, at: number): void => {
    const { role, content } = item;
    if (role === "assistant") {
      say(
        "assistant",
        at,
        ...inMessage(decodeContent(content, pointer("input", at, "content")), item),
      );
    } else if (role === "user") {
      userSeen = true;
      turns.push({
        role,
        path: pointer("input", at),
        parts: decodeContent(content, pointer("input", at, "content")),
        native: native(item),
      });
      joinable = false;
    } else if (role === "system" || role === "developer") {
      for (const text of readSystem(item)) {
        system.push({
          ...text,
          role,
          path: pointer("input", at),
          ...(userSeen ? { late: true } : {}),
          ...(turns.length > 0 ? { turnsBefore: turns.length } : {}),
        });
      }
      joinable = false;
    } else {
      throw new GatewayError(
        "invalid_request",
        `Cannot read the request: input[${at}].role "${String(role)}" is not known`,
        { param: `input[${at}].role` },
      );
    }
  };

  const instructions = textOf(body["instructions"]);
  if (instructions !== undefined) {
    system.push({
      text: instructions,
      path: "/instructions",
      native: native({ member: "instructions" }),
    });
  }
  const { input } = body;
  if (typeof input === "string") {
    turns.push({
      role: "user",
      path: "/input",
      parts: [{ type: "text", text: input, path: "/input" }],
      native: native(input),
    });
  }
  listOf(input).forEach((item, at) => {
    if (!isObject(item)) return;
    const type = itemType(item);
    switch (type) {
      case "message":
        return readMessage(item, at);
      case "reasoning":
        return say("assistant", at, decodeReasoning(item));
      case "function_call":
        return say("assistant", at, decodeCall(item, pointer("input", at), warnings));
      case "function_call_output":
        return say("tool", at, decodeResult(item, pointer("input", at, "output")));
      default:
        return say(isFromCaller(type) ? "tool" : "assistant", at, {
          type: "native",
          kind: type,
          native: native(item),
        });
    }
  });
  return { system, turns, warnings };
}

/** Notes at each part where it stood; an assistant message without parts stays as it is. */
function inMessage(parts: readonly ContentPart[], item: JsonObject): ContentPart[] {
  if (parts.length === 0) return [{ type: "native", kind: "message", native: native(item) }];
  return parts.map((part, at) => ({ ...part, native: place(at, part.native?.value, item) }));
}

function place(at: number, original: Json | undefined, item: JsonObject) {
  return native({
    at,
    ...(original === undefined ? {} : { original }),
    ...(at === 0 ? { item: omit(item, "content") } : {}),
  });
}

function readSystem(item: JsonObject): SystemText[] {
  return decodeContent(item["content"], "").map((part, at) => ({
    text: part.type === "text" ? part.text : "",
    ...(part.cache ? { cache: part.cache } : {}),
    native: place(at, part.native?.value, item),
  }));
}

function decodeCall(item: JsonObject, path: string, warnings: Warning[]): ToolCallContent {
  const inputText = textOf(item["arguments"]) ?? "";
  const { input, broken } = readArguments(inputText);
  if (broken) warnings.push(argumentsNotJson(`${path}/arguments`));
  return {
    type: "tool-call",
    id: textOf(item["call_id"]) ?? textOf(item["id"]) ?? "",
    name: textOf(item["name"]) ?? "",
    input,
    inputText,
    native: native(item),
  };
}

function decodeResult(item: JsonObject, path: string): ToolResultContent {
  const name = textOf(item["name"]);
  const parts = decodeContent(item["output"], path);
  return {
    type: "tool-result",
    callId: textOf(item["call_id"]) ?? "",
    ...(name === undefined ? {} : { name }),
    content: parts.map((part) =>
      part.type === "text" || part.type === "image" || part.type === "file" ||
        part.type === "native"
        ? part
        : {
          type: "native",
          kind: part.type,
          path: part.path ?? path,
          native: part.native ?? native({ type: part.type }),
        }
    ),
    native: native(item),
  };
}
