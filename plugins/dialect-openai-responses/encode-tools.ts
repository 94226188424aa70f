import {
  type Call,
  GatewayError,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
} from "@vmx/core/contract";
import { compact, objectOf, pointer, restore, textOf } from "@vmx/dialect-openai-chat/read-json";
import { toolName } from "./decode-tools.ts";
import type { EncodeContext } from "./encode-items.ts";
import { dialectId, ownNative } from "./native.ts";

const functionMembers = new Set(["type", "name", "description", "parameters", "strict"]);

/**
 * Writes tools and the choice among them.
 *
 * Throws `unsupported_content` for a tool another family's servers run.
 */
export function encodeTools(call: Call, context: EncodeContext): JsonObject {
  if (call.tools.length === 0 && call.dialect !== dialectId) return {};
  return {
    tools: call.tools.length === 0
      ? undefined
      : call.tools.map((tool) => encodeTool(tool, context)),
    tool_choice: call.toolChoice && encodeChoice(call.toolChoice, call.tools, context),
  };
}

function encodeTool(tool: Tool, context: EncodeContext): JsonObject {
  if (tool.type === "function") return encodeFunction(tool, context);
  const own = ownNative(tool);
  if (own) return compact(own);
  if (tool.type === "web-search") return encodeSearch(tool, context);
  throw new GatewayError(
    "unsupported_content",
    `Cannot write the request in the dialect "${dialectId}": it has no tool of the kind "${tool.kind}"`,
    { param: "tools" },
  );
}

function encodeFunction(
  tool: Extract<Tool, { type: "function" }>,
  { names }: EncodeContext,
): JsonObject {
  const own = ownNative(tool);
  return restore(
    {
      type: "function",
      name: names.toWire(tool.name),
      description: tool.description,
      parameters: tool.parameters ?? (own ? undefined : { type: "object", properties: {} }),
      // Left out it counts as true here, and as false in all other dialects.
      strict: tool.strict ?? (own ? own["strict"] : false),
    },
    own,
    functionMembers,
  );
}

function encodeSearch(
  tool: Extract<Tool, { type: "web-search" }>,
  { warnings }: EncodeContext,
): JsonObject {
  const {
    context_size: size,
    user_location: location,
    allowed_domains: domains,
    ...others
  } = tool.settings;
  for (const name of Object.keys(others)) {
    warnings.push({
      code: "parameter_dropped",
      path: tool.paths?.[name] ?? pointer("tools", name),
      action: "dropped",
      detail: `Web search has no setting "${name}" here`,
    });
  }
  const place = objectOf(location);
  return compact({
    type: "web_search",
    search_context_size: textOf(size),
    user_location: place && { ...place, type: "approximate" },
    filters: Array.isArray(domains) ? { allowed_domains: domains } : undefined,
  });
}

function encodeChoice(
  choice: ToolChoice,
  tools: readonly Tool[],
  { names }: EncodeContext,
): Json {
  const byName = (name: string): JsonObject => {
    const tool = tools.find((each) => toolName(each) === name);
    const custom = tool?.type === "native" && tool.kind === "custom";
    return { type: custom ? "custom" : "function", name: names.toWire(name) };
  };
  switch (choice.type) {
    case "tool":
      return byName(choice.name);
    case "allowed":
      return { type: "allowed_tools", mode: choice.mode, tools: choice.names.map(byName) };
    default:
      return choice.type;
  }
}
