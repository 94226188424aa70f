import {
  GatewayError,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { listOf, objectOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";
import { native, omit, present } from "./native.ts";

/** Reads `tools`. Functions and web search have a canonical form; all others stay as they are. */
export function decodeTools(tools: Json | undefined): Tool[] {
  return listOf(tools).flatMap((tool, at): Tool[] => {
    if (!isObject(tool)) return [];
    const path = pointer("tools", at);
    const type = textOf(tool["type"]) ?? "unknown";
    if (type === "function") {
      return [{
        type,
        name: textOf(tool["name"]) ?? "",
        ...present({
          description: textOf(tool["description"]),
          parameters: objectOf(tool["parameters"]),
          // False is what all other dialects take for granted.
          strict: tool["strict"] === true ? true : undefined,
        }),
        path,
        parametersPath: `${path}/parameters`,
        native: native(tool),
      }];
    }
    if (isWebSearch(type)) return [decodeSearch(tool, path)];
    return [{ type: "native", kind: type, path, native: native(tool) }];
  });
}

/** `web_search`, `web_search_preview` and their dated names. */
export function isWebSearch(type: string): boolean {
  return /^web_search(_preview)?(_\d{4}_\d\d_\d\d)?$/.test(type);
}

/**
 * Reads a web search; its settings are in the spelling all dialects share: `context_size`, `user_location` (`city`, `region`,
 * `country`, `timezone`), `allowed_domains`, `blocked_domains`, `max_uses`.
 */
function decodeSearch(tool: JsonObject, path: string): Tool {
  const filters = objectOf(tool["filters"]);
  const location = objectOf(tool["user_location"]);
  const place = location && Object.fromEntries(
    Object.entries(omit(location, "type")).filter(([, value]) => value !== null),
  );
  return {
    type: "web-search",
    settings: present({
      context_size: textOf(tool["search_context_size"]),
      user_location: place && Object.keys(place).length > 0 ? place : undefined,
      allowed_domains: filters?.["allowed_domains"] ?? undefined,
      blocked_domains: filters?.["blocked_domains"] ?? undefined,
    }),
    path,
    paths: {
      context_size: `${path}/search_context_size`,
      user_location: `${path}/user_location`,
      allowed_domains: `${path}/filters/allowed_domains`,
      blocked_domains: `${path}/filters/blocked_domains`,
    },
    native: native(tool),
  };
}

/** The name a tool is chosen by. */
export function toolName(tool: Tool): string | undefined {
  if (tool.type === "function") return tool.name;
  const own = objectOf(tool.native.value);
  return textOf(own?.["name"]) ?? textOf(objectOf(own?.["custom"])?.["name"]);
}

/**
 * Reads `tool_choice`; undefined when there is none, or when it names a tool of the provider, which has no
 * canonical form.
 *
 * Throws `invalid_request` when the choice names a tool that is not offered.
 */
export function decodeToolChoice(body: JsonObject, tools: readonly Tool[]): ToolChoice | undefined {
  const choice = readChoice(body["tool_choice"]);
  if (choice?.type !== "tool" && choice?.type !== "allowed") return choice;
  // Namespaces, tool search and remote servers bring further names.
  const open = tools.some((tool) => tool.type === "native" && tool.kind !== "custom");
  const offered = new Set(tools.map(toolName));
  for (const name of choice.type === "tool" ? [choice.name] : choice.names) {
    if (open || offered.has(name)) continue;
    throw new GatewayError(
      "invalid_request",
      `Cannot read the request: tool_choice names the tool "${name}", which is not among the tools`,
      { param: "tool_choice" },
    );
  }
  return choice;
}

function readChoice(choice: Json | undefined): ToolChoice | undefined {
  if (choice === "auto" || choice === "none" || choice === "required") return { type: choice };
  if (!isObject(choice)) return undefined;
  const name = textOf(choice["name"]);
  if ((choice["type"] === "function" || choice["type"] === "custom") && name !== undefined) {
    return { type: "tool", name };
  }
  if (choice["type"] !== "allowed_tools") return undefined;
  const tools = listOf(choice["tools"]).map(objectOf);
  const names = tools
    .filter((tool) => tool?.["type"] === "function" || tool?.["type"] === "custom")
    .map((tool) => textOf(tool?.["name"])).filter((each) => each !== undefined);
  // A list with tools of the provider says more than names can.
  if (names.length !== tools.length) return undefined;
  return { type: "allowed", mode: choice["mode"] === "required" ? "required" : "auto", names };
}
