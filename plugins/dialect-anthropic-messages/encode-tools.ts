import {
  type Call,
  GatewayError,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
} from "@vmx/core/contract";
import { settingPath } from "@vmx/core/kit";
import { mcpKind } from "./decode-tools.ts";
import { dropped, type EncodeContext, refuseContent, writeCache } from "./encode-context.ts";
import { compact, dialectId, objectOf, ownNative, pointer } from "./read-json.ts";
import { writeToolSchema } from "./tool-schema.ts";

/** The members of a request that hold its tools. */
export interface EncodedTools {
  readonly tools: JsonObject[];
  readonly choice: ToolChoice | undefined;
  readonly servers: Json | undefined;
}

/**
 * Writes tools. An allowed subset filters the list, because the choice cannot name several.
 *
 * Throws `unsupported_content` for a tool another family's servers run, and `invalid_request` for a choice that
 * names an absent one.
 */
export function encodeTools(call: Call, context: EncodeContext): EncodedTools {
  const { toolChoice } = call;
  const allowed = toolChoice?.type === "allowed" ? new Set(toolChoice.names) : undefined;
  const tools: JsonObject[] = [];
  let servers: Json | undefined;
  call.tools.forEach((tool, at) => {
    if (allowed && !(tool.type === "function" && allowed.has(tool.name))) return;
    if (tool.type === "native" && tool.kind === mcpKind && tool.native.dialect === dialectId) {
      servers = tool.native.value;
    } else tools.push(encodeTool(tool, tool.path ?? pointer("tools", at), context));
  });
  if (toolChoice?.type === "tool") refuseAbsent(toolChoice.name, call.tools);
  if (allowed) { for (const name of allowed) refuseAbsent(name, call.tools); }
  return {
    tools,
    servers,
    choice: toolChoice?.type === "allowed" ? { type: toolChoice.mode } : toolChoice,
  };
}

/** Writes the choice among tools, with the flag that stands inside it here. */
export function encodeToolChoice(
  choice: ToolChoice | undefined,
  call: Call,
  context: EncodeContext,
): JsonObject | undefined {
  const { parallelToolCalls: parallel } = call;
  if (!choice && parallel !== false) return undefined;
  const flag = parallel === undefined ? {} : { disable_parallel_tool_use: !parallel };
  const forces = choice?.type === "required" || choice?.type === "tool";
  if (forces && !context.profile.forcedToolUse) {
    context.warn({
      code: "tool_choice_approximated",
      path: settingPath(call, "toolChoice"),
      action: "approximated",
      detail: "The model refuses a choice that forces a call and is left to decide",
    });
    return { type: "auto", ...flag };
  }
  switch (choice?.type) {
    case "none":
      return { type: "none" };
    case "required":
      return { type: "any", ...flag };
    case "tool":
      return { type: "tool", name: context.names.toWire(choice.name), ...flag };
    default:
      return { type: "auto", ...flag };
  }
}

function encodeTool(tool: Tool, path: string, context: EncodeContext): JsonObject {
  const own = ownNative(tool);
  switch (tool.type) {
    case "function": {
      const strict = context.profile.strictTools || own !== undefined ? tool.strict : undefined;
      if (tool.strict && !strict) {
        context.warn(dropped(`${path}/strict`, "The model has no strict tools"));
      }
      return compact({
        ...own,
        name: context.names.toWire(tool.name),
        description: tool.description,
        input_schema: own && tool.parameters ? tool.parameters : writeToolSchema(
          tool.parameters,
          tool.parametersPath ?? `${path}/parameters`,
          context.warn,
        ),
        // Only `true` says anything.
        strict: strict || own ? strict : undefined,
        cache_control: own?.["cache_control"] ?? writeCache(tool.cache),
      });
    }
    case "web-search":
      return own ? compact(own) : encodeSearch(tool, path, context);
    case "native":
      return own ? compact(own) : refuseContent(`a tool of the kind "${tool.kind}"`, path);
  }
}

function encodeSearch(
  tool: Extract<Tool, { type: "web-search" }>,
  path: string,
  context: EncodeContext,
): JsonObject {
  const { allowed_domains, blocked_domains, max_uses, user_location, ...others } = tool.settings;
  for (const [name, value] of Object.entries(others)) {
    // A medium context is what a search without the setting has.
    if (name === "context_size" && value === "medium") continue;
    const at = tool.paths?.[name] ?? path + pointer(name);
    context.warn(dropped(at, `Web search has no setting "${name}" here`));
  }
  const place = objectOf(user_location);
  return compact({
    type: context.profile.webSearchTool,
    name: "web_search",
    max_uses,
    allowed_domains,
    blocked_domains,
    user_location: place && { ...place, type: "approximate" },
  });
}

function refuseAbsent(name: string, tools: readonly Tool[]): void {
  if (tools.some((tool) => tool.type !== "function" || tool.name === name)) return;
  throw new GatewayError(
    "invalid_request",
    `Cannot write the request: tool_choice names the tool "${name}", which is not among the tools`,
    { param: "tool_choice" },
  );
}
