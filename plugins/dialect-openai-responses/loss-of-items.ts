import type { Json, JsonObject, Warning } from "@vmx/core/contract";
import { answerMembersDropped, isObject, membersDropped, systemPartDropped } from "@vmx/core/kit";
import { listOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";
import { isWebSearch } from "./decode-tools.ts";
import { isSystemRole, itemType } from "./items.ts";

type Members = ReadonlySet<string>;

/**
 * Members of items that are carried on, by the items' types; items of other types are so whole, or refused. Where a
 * kept item stands at its provider and how far it came asks for nothing.
 */
const itemMembers: Readonly<Record<string, Members>> = {
  message: item("role", "content"),
  reasoning: item("summary", "content", "encrypted_content"),
  function_call: item("call_id", "name", "arguments"),
  function_call_output: item("call_id", "name", "output"),
};

/** Members of content parts that are carried on, by the parts' types. */
const partMembers: Readonly<Record<string, Members>> = {
  input_text: part("text"),
  // How likely a text was tells a model nothing.
  output_text: part("text", "logprobs"),
  text: part("text"),
  refusal: part("refusal"),
  input_image: part("image_url", "file_id", "detail"),
  input_file: part("file_data", "file_url", "file_id", "filename"),
  input_audio: part("input_audio"),
};

const functionMembers: Members = new Set(["type", "name", "description", "parameters", "strict"]);
const searchMembers: Members = new Set([
  "type",
  "search_context_size",
  "user_location",
  "filters",
]);
const filterMembers: Members = new Set(["allowed_domains", "blocked_domains"]);

function item(...members: readonly string[]): Members {
  return new Set(["type", "id", "status", "created_by", ...members]);
}

function part(...members: readonly string[]): Members {
  return new Set(["type", "prompt_cache_breakpoint", ...members]);
}

/** Values that ask for what happens anyway. */
const defaults = {
  caller: { type: "direct" },
  phase: "final_answer",
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
    const path = () => pointer("input", at);
    return [
      ...dropped(item, path, itemMembers[type]!),
      ...isSystemRole(item["role"])
        ? lossOfInstruction(item["content"], () => `${path()}/content`)
        : lossOfParts(item["content"], () => `${path()}/content`),
      ...lossOfParts(item["output"], () => `${path()}/output`),
    ];
  });
}

/** What of the items of an answer other dialects have no place for. Those of other types are left out whole. */
export function lossOfOutput(items: readonly JsonObject[]): Warning[] {
  return items.flatMap((each) => {
    const known = itemMembers[itemType(each)];
    return known ? answerMembersDropped(each, "/output", known, defaults) : [];
  });
}

/** What of the tools other dialects have no place for. Those of unknown kinds are refused by whoever writes them. */
export function lossOfTools(tools: Json | undefined): Warning[] {
  return listOf(tools).flatMap((tool, at) => {
    if (!isObject(tool)) return [];
    const path = () => pointer("tools", at);
    const type = textOf(tool["type"]) ?? "";
    if (type === "function") return dropped(tool, path, functionMembers);
    if (!isWebSearch(type)) return [];
    const filters = tool["filters"];
    return [
      ...dropped(tool, path, searchMembers),
      ...(isObject(filters) ? dropped(filters, () => `${path()}/filters`, filterMembers) : []),
    ];
  });
}

function lossOfInstruction(parts: Json | undefined, path: () => string): Warning[] {
  return listOf(parts).flatMap((part, at) => {
    const type = isObject(part) ? textOf(part["type"]) ?? "" : "";
    const isText = isObject(part) && /text$/.test(type);
    return isText
      ? dropped(part, () => path() + pointer(at), partMembers["text"]!)
      : [systemPartDropped(type, path() + pointer(at))];
  });
}

function lossOfParts(parts: Json | undefined, path: () => string): Warning[] {
  return listOf(parts).flatMap((part, at) => {
    const type = isObject(part) ? textOf(part["type"]) ?? "" : "";
    if (!isObject(part) || !Object.hasOwn(partMembers, type)) return [];
    return dropped(part, () => path() + pointer(at), partMembers[type]!);
  });
}

function dropped(piece: JsonObject, path: () => string, known: Members): Warning[] {
  return membersDropped(piece, path, known, defaults);
}
