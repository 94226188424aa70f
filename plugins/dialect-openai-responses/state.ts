import type { Json, JsonObject, Operation, ProviderState } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { listOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";
import { contentOf, itemType } from "./items.ts";

/**
 * Members of the body that name what a provider stores. Without them another provider would be asked a different
 * question; a call decoded from such a body carries them in its `extras`.
 */
export const statefulMembers = ["previous_response_id", "conversation", "prompt"] as const;

/**
 * Tells what of a request lives at a provider: an earlier response, a conversation, a stored prompt, uploaded
 * files, vector stores, containers and items given by reference.
 */
export function providerState(body: JsonObject, _operation: Operation): ProviderState {
  const paths: string[] = statefulMembers
    .filter((name) => body[name] !== undefined && body[name] !== null)
    .map((name) => pointer(name));
  listOf(body["input"]).forEach((item, at) => {
    if (!isObject(item)) return;
    if (itemType(item) === "item_reference") paths.push(pointer("input", at));
    const member = itemType(item) === "message" ? "content" : "output";
    listOf(contentOf(item)).forEach((part, place) => {
      if (!isObject(part) || !isText(part["file_id"])) return;
      paths.push(pointer("input", at, member, place, "file_id"));
    });
  });
  listOf(body["tools"]).forEach((tool, at) => {
    if (!isObject(tool)) return;
    if (listOf(tool["vector_store_ids"]).length > 0) {
      paths.push(pointer("tools", at, "vector_store_ids"));
    }
    if (isText(tool["container"])) paths.push(pointer("tools", at, "container"));
  });
  const previous = textOf(body["previous_response_id"]);
  return {
    ...(previous ? { previousAnswerId: previous } : {}),
    paths,
    // Responses are stored unless the caller says otherwise.
    storesAnswer: body["store"] !== false,
  };
}

function isText(value: Json | undefined): boolean {
  return typeof value === "string" && value !== "";
}
