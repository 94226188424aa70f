import {
  type Call,
  GatewayError,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
  type Warning,
} from "@vmx/core/contract";
import { settingPath } from "@vmx/core/kit";
import type { EncodeContext } from "./encode-content.ts";
import { toolName } from "./decode-tools.ts";
import { compact, dialectId, objectOf, ownNative, pointer, restore, textOf } from "./read-json.ts";

const functionMembers = new Set(["name", "description", "parameters", "strict"]);
const toolMembers = new Set(["type", "function"]);

/**
 * Writes tools and the choice among them; the legacy form only for a call that came in it.
 *
 * Throws `unsupported_content` for a tool another family's servers run.
 */
export function encodeTools(call: Call, context: EncodeContext): JsonObject {
  const written: Record<string, Json> = {};
  const legacy = call.tools.some(isLegacy);
  const own = call.dialect === dialectId;
  const { toolChoice } = call;
  const offered = toolChoice?.type === "allowed" && !own
    ? call.tools.filter((tool) => toolChoice.names.includes(toolName(tool) ?? ""))
    : call.tools;
  const tools: JsonObject[] = [];
  const functions: JsonObject[] = [];
  for (const tool of offered) {
    if (tool.type === "web-search") {
      written["web_search_options"] = encodeSearch(tool, context.warnings);
    } else if (tool.type === "native") tools.push(encodeNative(tool));
    else if (isLegacy(tool)) functions.push(encodeFunction(tool, ownNative(tool), context));
    else {
      const original = ownNative(tool);
      const described = encodeFunction(tool, objectOf(original?.["function"]), context);
      tools.push(restore({ type: "function", function: described }, original, toolMembers));
    }
  }
  if (tools.length > 0) written["tools"] = tools;
  if (functions.length > 0) written["functions"] = functions;
  if (toolChoice && (tools.length > 0 || functions.length > 0 || own)) {
    const inLegacy = legacy && tools.length === 0;
    written[inLegacy ? "function_call" : "tool_choice"] = encodeChoice(
      toolChoice,
      call.tools,
      inLegacy,
      own,
      context,
    );
  } else if (toolChoice && mustCall(toolChoice) && offered.length > 0) {
    context.warnings.push({
      code: "parameter_dropped",
      path: settingPath(call, "toolChoice"),
      action: "dropped",
      detail: "A search of the service's own cannot be forced",
    });
  }
  return written;
}

function mustCall(choice: ToolChoice): boolean {
  return choice.type === "required" || choice.type === "tool" ||
    (choice.type === "allowed" && choice.mode === "required");
}

/** Whether a tool came in the legacy `functions`. */
export function isLegacy(tool: Tool): boolean {
  const own = tool.type === "function" ? ownNative(tool) : undefined;
  return own !== undefined && own["function"] === undefined;
}

function encodeFunction(
  tool: Extract<Tool, { type: "function" }>,
  original: JsonObject | undefined,
  context: EncodeContext,
): JsonObject {
  return restore(
    {
      name: context.toWire(tool.name),
      description: tool.description,
      parameters: tool.parameters,
      strict: tool.strict,
    },
    original,
    functionMembers,
  );
}

function encodeNative(tool: Extract<Tool, { type: "native" }>): JsonObject {
  const value = ownNative(tool);
  if (value) return compact(value);
  throw new GatewayError(
    "unsupported_content",
    `Cannot write the request in the dialect "${dialectId}": it has no tool of the kind "${tool.kind}"`,
    { param: "tools" },
  );
}

function encodeSearch(
  tool: Extract<Tool, { type: "web-search" }>,
  warnings: Warning[],
): JsonObject {
  const value = ownNative(tool);
  if (value) return compact(value);
  const { context_size: size, user_location: location, ...others } = tool.settings;
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
    search_context_size: textOf(size),
    user_location: place && {
      type: "approximate",
      approximate: compact({ ...place, type: undefined }),
    },
  });
}

function encodeChoice(
  choice: ToolChoice,
  tools: readonly Tool[],
  legacy: boolean,
  own: boolean,
  context: EncodeContext,
): Json {
  const byName = (name: string): JsonObject => {
    const tool = tools.find((each) => toolName(each) === name);
    const custom = tool?.type === "native" && tool.kind === "custom";
    return custom
      ? { type: "custom", custom: { name } }
      : { type: "function", function: { name: context.toWire(name) } };
  };
  switch (choice.type) {
    case "tool":
      return legacy ? { name: context.toWire(choice.name) } : byName(choice.name);
    case "allowed":
      return own
        ? {
          type: "allowed_tools",
          allowed_tools: { mode: choice.mode, tools: choice.names.map(byName) },
        }
        : choice.mode;
    default:
      return choice.type;
  }
}
