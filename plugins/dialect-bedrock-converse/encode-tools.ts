import type { Call, JsonObject, Tool, ToolChoice } from "@vmx/core/contract";
import { settingPath } from "@vmx/core/kit";
import { encodeMark } from "./encode-content.ts";
import { dropped, type EncodeContext, refuse } from "./encode-context.ts";
import { compact, dialectId, objectOf, ownNative, pointer, restore } from "./read-json.ts";
import { answerTool, encodeAnswerTool, objectSchema, structureOf } from "./structured-output.ts";

/**
 * Writes tools and the choice among them. A conversation that holds calls must keep its tools (the service refuses it
 * otherwise), so a choice of none is approximated there, and tools nobody offered any more are declared again.
 *
 * Throws `unsupported_content` for a tool another family's servers run.
 */
export function encodeToolConfig(call: Call, context: EncodeContext): JsonObject | undefined {
  const native = call.dialect === dialectId ||
    (context.profile.structuredOutput && call.output?.type === "json-schema");
  const structure = native ? undefined : structureOf(call);
  const called = calledTools(call);
  const none = call.toolChoice?.type === "none";
  const tools: JsonObject[] = [];
  if (!none || called.size > 0) {
    offeredTools(call).forEach((tool, at) =>
      tools.push(...encodeTool(tool, tool.path ?? pointer("tools", at), context))
    );
    if (tools.length === 0 && called.size > 0) {
      tools.push(...[...called.keys()].map((name) => redeclare(name, called.get(name), context)));
    }
    if (none && tools.length > 0 && !structure) {
      approximated("none", settingPath(call, "toolChoice"), context);
    }
  }
  const emulated = structure && call.toolChoice?.type !== "tool";
  if (emulated) {
    context.warnings.push({
      code: "structured_output_emulated",
      path: settingPath(call, "output"),
      action: "approximated",
      detail: "A tool the model must call stands in for the answer's form",
    });
    const others = tools.length > 0 && !none;
    tools.push(encodeAnswerTool(structure));
    const forced: ToolChoice = others ? { type: "required" } : { type: "tool", name: answerTool };
    return compact({
      tools,
      toolChoice: encodeChoice(forced, settingPath(call, "output"), context),
    });
  }
  if (structure) {
    context.warnings.push(dropped(settingPath(call, "output"), "The answer has to be a tool call"));
  }
  if (tools.length === 0) return undefined;
  const choice = call.toolChoice &&
    encodeChoice(call.toolChoice, settingPath(call, "toolChoice"), context);
  return compact({ tools, toolChoice: choice });
}

/** Whether the request makes the model call a tool. */
export function isForced(toolConfig: JsonObject | undefined): boolean {
  const choice = objectOf(toolConfig?.["toolChoice"]);
  return choice?.["any"] !== undefined || choice?.["tool"] !== undefined;
}

/** The names a request holds: of tools, of the choice and of earlier calls. */
export function toolNamesOf(call: Call): string[] {
  const offered = call.tools.flatMap((tool) => tool.type === "function" ? [tool.name] : []);
  return [...offered, ...calledTools(call).keys()];
}

/** The tools that were called earlier, with the place of each one's first call. */
function calledTools(call: Call): Map<string, string | undefined> {
  const names = new Map<string, string | undefined>();
  for (const { parts, path } of call.turns) {
    for (const part of parts) {
      if (part.type !== "tool-call" || names.has(part.name)) continue;
      names.set(part.name, part.path ?? path);
    }
  }
  return names;
}

function offeredTools({ tools, toolChoice }: Call): readonly Tool[] {
  if (toolChoice?.type !== "allowed") return tools;
  return tools.filter((tool) => tool.type !== "function" || toolChoice.names.includes(tool.name));
}

function encodeTool(tool: Tool, path: string, context: EncodeContext): JsonObject[] {
  const own = tool.native && ownNative({ native: tool.native });
  if (tool.type !== "function") {
    if (own) {
      const { cachePoint, ...rest } = own;
      return cachePoint === undefined ? [rest] : [rest, { cachePoint }];
    }
    const name = tool.type === "web-search" ? context.profile.webSearchTool : undefined;
    if (name !== undefined && tool.type === "web-search") {
      for (const setting of Object.keys(tool.settings)) {
        const place = tool.paths?.[setting] ?? path + pointer(setting);
        context.warnings.push(dropped(place, `Web search has no setting "${setting}" here`));
      }
      return [{ systemTool: { name } }];
    }
    return refuse(`a tool of the kind "${tool.type === "native" ? tool.kind : tool.type}"`, path);
  }
  const original = objectOf(own?.["toolSpec"]);
  if (tool.strict && !original && !context.profile.strictTools) {
    context.warnings.push(dropped(`${path}/strict`, "The model does not hold to schemas strictly"));
  }
  const strict = original || (tool.strict && context.profile.strictTools) ? tool.strict : undefined;
  const spec = restore({
    name: context.toolNames.toWire(tool.name),
    description: tool.description || undefined,
    inputSchema: original?.["inputSchema"] ?? { json: objectSchema(tool.parameters) },
    strict,
  }, original);
  const { toolCachePoints } = context.profile;
  const marked = tool.cache ? encodeMark(tool.cache, path, context, toolCachePoints) : [];
  return [{ toolSpec: spec }, ...marked];
}

function redeclare(
  name: string,
  path: string | undefined,
  context: EncodeContext,
): JsonObject {
  context.warnings.push({
    code: "tool_definition_synthesized",
    path: path ?? "/messages",
    action: "synthesized",
    detail: `"${name}" is declared because it was called earlier`,
  });
  return {
    toolSpec: { name: context.toolNames.toWire(name), inputSchema: { json: objectSchema({}) } },
  };
}

/**
 * Writes a choice as near as the model takes it; undefined where none may be named, which leaves it to the model.
 *
 * @param path what in the caller's body demands it
 */
function encodeChoice(
  choice: ToolChoice,
  path: string,
  context: EncodeContext,
): JsonObject | undefined {
  const { toolChoices } = context.profile;
  const wanted = choice.type === "allowed" ? choice.mode : choice.type;
  const auto = toolChoices.includes("auto") ? { auto: {} } : undefined;
  if (wanted === "auto" || wanted === "none") return auto;
  if (choice.type === "tool" && toolChoices.includes("tool")) {
    return { tool: { name: context.toolNames.toWire(choice.name) } };
  }
  const any = toolChoices.includes("any");
  if (choice.type === "tool" || !any) approximated(wanted, path, context);
  return any ? { any: {} } : auto;
}

function approximated(wanted: string, path: string, { warnings }: EncodeContext): void {
  warnings.push({
    code: "tool_choice_approximated",
    path,
    action: "approximated",
    detail: `"${wanted}" cannot be asked for here`,
  });
}
