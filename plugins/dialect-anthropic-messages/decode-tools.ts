import {
  GatewayError,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
  type Warning,
} from "@vmx/core/contract";
import { isObject, membersDropped } from "@vmx/core/kit";
import { readCache } from "./decode-blocks.ts";
import {
  flagOf,
  listOf,
  native,
  objectOf,
  objectsOf,
  pointer,
  present,
  textOf,
} from "./read-json.ts";

/** The kind `mcp_servers` have as a tool: like one, they run at the provider. */
export const mcpKind = "mcp_servers";

/** Reads `tools` and `mcp_servers`. */
export function decodeTools(body: JsonObject): Tool[] {
  const tools = listOf(body["tools"]).flatMap((tool, at) =>
    isObject(tool) ? [decodeTool(tool, pointer("tools", at))] : []
  );
  const servers = body["mcp_servers"];
  if (objectsOf(servers).length === 0) return tools;
  const path = pointer("mcp_servers");
  return [...tools, { type: "native", kind: mcpKind, path, native: native(servers!) }];
}

function decodeTool(tool: JsonObject, path: string): Tool {
  const type = textOf(tool["type"]);
  if (type?.startsWith("web_search_")) return decodeSearch(tool, path);
  if (type !== undefined && type !== "custom") {
    return { type: "native", kind: type, path, native: native(tool) };
  }
  return {
    type: "function",
    name: textOf(tool["name"]) ?? "",
    ...present({
      description: textOf(tool["description"]),
      parameters: objectOf(tool["input_schema"]),
      strict: flagOf(tool["strict"]),
      cache: readCache(tool),
    }),
    path,
    parametersPath: `${path}/input_schema`,
    native: native(tool),
  };
}

/** Reads a web search; its settings are in the spelling all dialects share. */
function decodeSearch(tool: JsonObject, path: string): Tool {
  const location = objectOf(tool["user_location"]);
  const settings: Record<string, Json> = {};
  for (const name of ["allowed_domains", "blocked_domains", "max_uses"]) {
    const value = tool[name];
    if (value !== undefined && value !== null) settings[name] = value;
  }
  if (location) {
    const { type: _type, ...place } = location;
    settings["user_location"] = place;
  }
  const paths = Object.fromEntries(Object.keys(settings).map((name) => [name, `${path}/${name}`]));
  return { type: "web-search", settings, path, paths, native: native(tool) };
}

/** Members of tools that are carried on, and the values of others that ask for what happens anyway. */
const toolMembers = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
  "cache_control",
]);
const searchMembers = new Set([
  "type",
  "name",
  "allowed_domains",
  "blocked_domains",
  "max_uses",
  "user_location",
  "cache_control",
]);
const toolDefaults = {
  allowed_callers: ["direct"],
  defer_loading: false,
  eager_input_streaming: false,
  response_inclusion: "full",
  strict: false,
};

/** What of the tools other dialects have no place for. Those of unknown kinds are refused by whoever writes them. */
export function lossOfTools(tools: Json | undefined): Warning[] {
  return listOf(tools).flatMap((tool, at) => {
    if (!isObject(tool)) return [];
    const type = textOf(tool["type"]) ?? "custom";
    const search = type.startsWith("web_search_");
    if (!search && type !== "custom") return [];
    const known = search ? searchMembers : toolMembers;
    return membersDropped(tool, () => pointer("tools", at), known, toolDefaults);
  });
}

/** A choice among tools, with the flag that stands inside it here. */
export interface DecodedChoice {
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
}

/**
 * Reads `tool_choice`.
 *
 * Throws `invalid_request` when it names a tool that is not offered.
 */
export function decodeToolChoice(value: Json | undefined, tools: readonly Tool[]): DecodedChoice {
  const choice = objectOf(value);
  if (!choice) return {};
  const single = flagOf(choice["disable_parallel_tool_use"]);
  const parallel = present({ parallelToolCalls: single === undefined ? undefined : !single });
  switch (choice["type"]) {
    case "auto":
    case "none":
      return { toolChoice: { type: choice["type"] }, ...parallel };
    case "any":
      return { toolChoice: { type: "required" }, ...parallel };
    case "tool": {
      const name = textOf(choice["name"]) ?? "";
      refuseAbsent(name, tools);
      return { toolChoice: { type: "tool", name }, ...parallel };
    }
    default:
      return parallel;
  }
}

function refuseAbsent(name: string, tools: readonly Tool[]): void {
  // Tools of the provider can bring several names along.
  if (tools.some((tool) => tool.type !== "function" || tool.name === name)) return;
  throw new GatewayError(
    "invalid_request",
    `Cannot read the request: tool_choice names the tool "${name}", which is not among the tools`,
    { param: "tool_choice" },
  );
}
