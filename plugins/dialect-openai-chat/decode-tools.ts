import {
  GatewayError,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
  type Warning,
} from "@vmx/core/contract";
import { isObject, membersDropped } from "@vmx/core/kit";
import { flagOf, listOf, native, objectOf, pointer, textOf } from "./read-json.ts";

/** Reads `tools`, the legacy `functions`, and `web_search_options`. */
export function decodeTools(body: JsonObject): Tool[] {
  const tools = listOf(body["tools"]).flatMap((tool, at): Tool[] => {
    if (!isObject(tool)) return [];
    const path = pointer("tools", at);
    const own = objectOf(tool["function"]);
    if (tool["type"] === "function" && own) return [decodeFunction(own, tool, `${path}/function`)];
    const kind = textOf(tool["type"]) ?? "unknown";
    return [{ type: "native", kind, path, native: native(tool) }];
  });
  const legacy = listOf(body["functions"]).flatMap((own, at) =>
    isObject(own) ? [decodeFunction(own, own, pointer("functions", at))] : []
  );
  const search = objectOf(body["web_search_options"]);
  const searches: Tool[] = search ? [decodeSearch(search, "/web_search_options")] : [];
  return [...tools, ...legacy, ...searches];
}

function decodeFunction(own: JsonObject, original: JsonObject, path: string): Tool {
  const description = textOf(own["description"]);
  const parameters = objectOf(own["parameters"]);
  const strict = flagOf(own["strict"]);
  return {
    type: "function",
    name: textOf(own["name"]) ?? "",
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(strict === undefined ? {} : { strict }),
    path,
    ...(parameters === undefined ? {} : { parametersPath: `${path}/parameters` }),
    native: native(original),
  };
}

/**
 * Reads a web search; its settings are in the spelling all dialects share: `context_size`, `user_location` (`city`, `region`,
 * `country`, `timezone`), `allowed_domains`, `blocked_domains`, `max_uses`.
 */
function decodeSearch(options: JsonObject, path: string): Tool {
  const size = options["search_context_size"];
  const location = objectOf(objectOf(options["user_location"])?.["approximate"]);
  return {
    type: "web-search",
    settings: {
      ...(typeof size === "string" ? { context_size: size } : {}),
      ...(location ? { user_location: location } : {}),
    },
    path,
    paths: {
      context_size: `${path}/search_context_size`,
      user_location: `${path}/user_location`,
    },
    native: native(options),
  };
}

/**
 * Reads `tool_choice` or the legacy `function_call`; undefined when there is none or the form is not known.
 *
 * Throws `invalid_request` when the choice names a tool that is not offered.
 */
export function decodeToolChoice(body: JsonObject, tools: readonly Tool[]): ToolChoice | undefined {
  const member = body["tool_choice"] === undefined ? "function_call" : "tool_choice";
  const choice = readChoice(body[member]);
  if (!choice) return undefined;
  const offered = new Set(tools.map(toolName));
  const named = choice.type === "tool"
    ? [choice.name]
    : choice.type === "allowed"
    ? choice.names
    : [];
  for (const name of named) {
    if (offered.has(name)) continue;
    throw new GatewayError(
      "invalid_request",
      `Cannot read the request: ${member} names the tool "${name}", which is not among the tools`,
      { param: member },
    );
  }
  return choice;
}

const toolMembers = new Set(["type", "function"]);
const functionMembers = new Set(["name", "description", "parameters", "strict"]);
const searchMembers = new Set(["search_context_size", "user_location"]);

/** What of the tools other dialects have no place for. Tools of unknown kinds are refused by whoever writes them. */
export function lossOfTools(body: JsonObject): Warning[] {
  const tools = listOf(body["tools"]).flatMap((tool, at) => {
    const own = isObject(tool) ? objectOf(tool["function"]) : undefined;
    if (!isObject(tool) || !own) return [];
    const path = () => pointer("tools", at);
    return [
      ...membersDropped(tool, path, toolMembers),
      ...membersDropped(own, () => `${path()}/function`, functionMembers),
    ];
  });
  const legacy = listOf(body["functions"]).flatMap((own, at) =>
    isObject(own) ? membersDropped(own, () => pointer("functions", at), functionMembers) : []
  );
  const search = objectOf(body["web_search_options"]);
  const searches = search ? membersDropped(search, () => "/web_search_options", searchMembers) : [];
  return [...tools, ...legacy, ...searches];
}

/** The name a tool is chosen by. */
export function toolName(tool: Tool): string | undefined {
  if (tool.type === "function") return tool.name;
  const own = objectOf(tool.native.value);
  return textOf(objectOf(own?.["custom"])?.["name"]) ?? textOf(own?.["type"]);
}

function readChoice(choice: Json | undefined): ToolChoice | undefined {
  if (choice === "auto" || choice === "none" || choice === "required") return { type: choice };
  if (!isObject(choice)) return undefined;
  const named = objectOf(choice["function"]) ?? objectOf(choice["custom"]);
  const name = textOf(named?.["name"]) ?? textOf(choice["name"]);
  if (name !== undefined) return { type: "tool", name };
  const allowed = objectOf(choice["allowed_tools"]);
  if (!allowed) return undefined;
  const names = listOf(allowed["tools"]).map((tool) => {
    const own = objectOf(tool);
    return textOf((objectOf(own?.["function"]) ?? objectOf(own?.["custom"]))?.["name"]) ??
      textOf(own?.["name"]);
  }).filter((each) => each !== undefined);
  return { type: "allowed", mode: allowed["mode"] === "required" ? "required" : "auto", names };
}
