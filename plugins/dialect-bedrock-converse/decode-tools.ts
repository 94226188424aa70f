import {
  GatewayError,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
  type Warning,
} from "@vmx/core/contract";
import { kindOf, pointDropped, readCachePoint } from "./decode-content.ts";
import { flagOf, native, objectOf, objectsOf, present, textOf } from "./read-json.ts";

/** Reads `toolConfig.tools`. A cache point becomes a mark on the tool it follows. */
export function decodeTools(tools: Json | undefined, warnings: Warning[]): Tool[] {
  const decoded: Tool[] = [];
  for (const block of objectsOf(tools)) {
    const cache = readCachePoint(block);
    const last = cache && decoded.pop();
    if (!cache) decoded.push(decodeTool(block));
    else if (!last) warnings.push(pointDropped("/toolConfig/tools"));
    else if (last.type === "function") decoded.push({ ...last, cache });
    // Tools of the service's own have no mark: the point goes along with them.
    else decoded.push({ ...last, native: native({ ...objectOf(last.native.value), ...block }) });
  }
  return decoded;
}

function decodeTool(block: JsonObject): Tool {
  const own = objectOf(block["toolSpec"]);
  if (!own) {
    const name = textOf(objectOf(block["systemTool"])?.["name"]);
    return name === "nova_grounding"
      ? { type: "web-search", settings: {}, native: native(block) }
      : { type: "native", kind: name ?? kindOf(block), native: native(block) };
  }
  return {
    type: "function",
    name: textOf(own["name"]) ?? "",
    ...present({
      description: textOf(own["description"]),
      parameters: objectOf(objectOf(own["inputSchema"])?.["json"]),
      strict: flagOf(own["strict"]),
    }),
    native: native(block),
  };
}

/**
 * Reads `toolConfig.toolChoice`.
 *
 * Throws `invalid_request` when it names a tool that is not offered.
 */
export function decodeToolChoice(
  value: Json | undefined,
  tools: readonly Tool[],
): ToolChoice | undefined {
  const choice = objectOf(value);
  if (!choice) return undefined;
  if (choice["any"] !== undefined) return { type: "required" };
  const name = textOf(objectOf(choice["tool"])?.["name"]);
  if (name === undefined) return choice["auto"] === undefined ? undefined : { type: "auto" };
  if (tools.some((tool) => tool.type !== "function" || tool.name === name)) {
    return { type: "tool", name };
  }
  throw new GatewayError(
    "invalid_request",
    `Cannot read the request: toolConfig.toolChoice names the tool "${name}", which is not among the tools`,
    { param: "toolConfig.toolChoice" },
  );
}
