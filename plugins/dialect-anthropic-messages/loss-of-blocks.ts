import type { Json, JsonObject, Warning } from "@vmx/core/contract";
import { isObject, membersDropped } from "@vmx/core/kit";
import { listOf, objectOf, pointer, textOf } from "./read-json.ts";

/** Members of blocks that are carried on, by the blocks' types; blocks of other types are so whole, or refused. */
const blockMembers: Readonly<Record<string, ReadonlySet<string>>> = {
  text: block("text"),
  image: block("source"),
  document: block("source", "title", "context", "citations"),
  search_result: block("content", "source", "title"),
  thinking: block("thinking", "signature"),
  redacted_thinking: block("data"),
  tool_use: block("id", "name", "input"),
  tool_result: block("tool_use_id", "content", "is_error"),
};

function block(...members: readonly string[]): ReadonlySet<string> {
  return new Set(["type", "cache_control", ...members]);
}

/** Values that ask for what happens anyway. */
const defaults = { citations: { enabled: false }, caller: { type: "direct" } };

/** What of system texts and messages other dialects have no place for. */
export function lossOfConversation(
  system: Json | undefined,
  messages: Json | undefined,
): Warning[] {
  return [
    ...lossOfBlocks(system, () => "/system"),
    ...listOf(messages).flatMap((message, at) => [
      ...lossOfRole(objectOf(message) ?? {}, at),
      ...lossOfBlocks(objectOf(message)?.["content"], () => pointer("messages", at, "content")),
    ]),
  ];
}

/** An instruction that is more than text can stand inside a conversation only as the user's words. */
function lossOfRole({ content, role }: JsonObject, at: number): Warning[] {
  if (role !== "system") return [];
  const isText = listOf(content).every((block) => objectOf(block)?.["type"] === "text");
  if (isText) return [];
  return [{
    code: "system_moved",
    path: pointer("messages", at),
    action: "approximated",
    detail: "An instruction that holds more than text is given as the user's",
  }];
}

function lossOfBlocks(content: Json | undefined, path: () => string): Warning[] {
  return listOf(content).flatMap((block, at) =>
    isObject(block) ? lossOfBlock(block, () => path() + pointer(at)) : []
  );
}

function lossOfBlock(block: JsonObject, path: () => string): Warning[] {
  const type = textOf(block["type"]) ?? "";
  if (!Object.hasOwn(blockMembers, type)) return [];
  const known = blockMembers[type]!;
  const inside = type === "tool_result" || type === "search_result"
    ? lossOfBlocks(block["content"], () => `${path()}/content`)
    : [];
  return [...membersDropped(block, path, known, defaults), ...inside];
}
