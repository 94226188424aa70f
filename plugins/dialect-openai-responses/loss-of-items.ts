import type { Json, JsonObject, Warning } from "@vmx/core/contract";
import { isObject, membersDropped, systemPartDropped } from "@vmx/core/kit";
import { listOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";
import { isWebSearch } from "./decode-tools.ts";
import { isSystemRole, itemType } from "./items.ts";

/** Members of items that are carried on, by the items' types; items of other types are so whole, or refused. */
const itemMembers: Readonly<Record<string, readonly string[]>> = {
  message: ["role", "content"],
  reasoning: ["summary", "content", "encrypted_content"],
  function_call: ["call_id", "name", "arguments"],
  function_call_output: ["call_id", "name", "output"],
};

/** Where a kept item stands at its provider, and how far it came; neither asks for anything. */
const everyItem = ["type", "id", "status", "created_by"];

/** Members of content parts that are carried on, by the parts' types. */
const partMembers: Readonly<Record<string, readonly string[]>> = {
  input_text: ["text"],
  // How likely a text was tells a model nothing.
  output_text: ["text", "logprobs"],
  text: ["text"],
  refusal: ["refusal"],
  input_image: ["image_url", "file_id", "detail"],
  input_file: ["file_data", "file_url", "file_id", "filename"],
  input_audio: ["input_audio"],
};
const everyPart = ["type", "prompt_cache_breakpoint"];

const functionMembers = ["type", "name", "description", "parameters", "strict"];
const searchMembers = ["type", "search_context_size", "user_location", "filters"];
const filterMembers = ["allowed_domains", "blocked_domains"];

/** Values that ask for what happens anyway. */
const defaults = {
  caller: { type: "direct" },
  detail: "auto",
  async: false,
  allowed_callers: ["direct"],
  defer_loading: false,
  external_web_access: true,
  search_content_types: ["text"],
};

/** What of the input other dialects have no place for. */
export function lossOfInput(input: Json | undefined): Warning[] {
  return listOf(input).flatMap((item, at) => {
    const type = isObject(item) ? itemType(item) : "";
    if (!isObject(item) || !Object.hasOwn(itemMembers, type)) return [];
    const path = pointer("input", at);
    return [
      ...dropped(item, path, [...everyItem, ...itemMembers[type]!]),
      ...isSystemRole(item["role"])
        ? lossOfInstruction(item["content"], `${path}/content`)
        : lossOfParts(item["content"], `${path}/content`),
      ...lossOfParts(item["output"], `${path}/output`),
    ];
  });
}

/** What of the tools other dialects have no place for. Those of unknown kinds are refused by whoever writes them. */
export function lossOfTools(tools: Json | undefined): Warning[] {
  return listOf(tools).flatMap((tool, at) => {
    if (!isObject(tool)) return [];
    const path = pointer("tools", at);
    const type = textOf(tool["type"]) ?? "";
    if (type === "function") return dropped(tool, path, functionMembers);
    if (!isWebSearch(type)) return [];
    const filters = tool["filters"];
    return [
      ...dropped(tool, path, searchMembers),
      ...(isObject(filters) ? dropped(filters, `${path}/filters`, filterMembers) : []),
    ];
  });
}

function lossOfInstruction(parts: Json | undefined, path: string): Warning[] {
  return listOf(parts).flatMap((part, at) => {
    const type = isObject(part) ? textOf(part["type"]) ?? "" : "";
    const isText = isObject(part) && /text$/.test(type);
    return isText
      ? dropped(part, path + pointer(at), [...everyPart, "text"])
      : [systemPartDropped(type, path + pointer(at))];
  });
}

function lossOfParts(parts: Json | undefined, path: string): Warning[] {
  return listOf(parts).flatMap((part, at) => {
    const type = isObject(part) ? textOf(part["type"]) ?? "" : "";
    if (!isObject(part) || !Object.hasOwn(partMembers, type)) return [];
    return dropped(part, path + pointer(at), [...everyPart, ...partMembers[type]!]);
  });
}

function dropped(piece: JsonObject, path: string, known: readonly string[]): Warning[] {
  return membersDropped(piece, path, new Set(known), defaults);
}
