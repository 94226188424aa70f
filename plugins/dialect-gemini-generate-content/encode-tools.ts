import { type Call, GatewayError, type Json, type JsonObject, type Tool } from "@vmx/core/contract";
import { downlevelSchema } from "@vmx/core/kit";
import type { EncodeContext } from "./encode-context.ts";
import { compact, dialectId, objectOf, ownNative, pointer, restore } from "./read-json.ts";
import { isEmptySchema, jsonSchemaTarget, openApiTarget } from "./schema.ts";

const declarationMembers = new Set(["name", "description"]);

/**
 * Writes tools and the choice among them. Functions stand together; each tool of the service stands alone.
 *
 * Throws `unsupported_content` for a tool another family's servers run.
 */
export function encodeTools(call: Call, context: EncodeContext): JsonObject {
  const choice = call.toolChoice;
  const own = call.dialect === dialectId;
  // Only a forced choice can be narrowed by names; any other narrows the list.
  const narrowed = choice?.type === "allowed" && choice.mode === "auto" && !own
    ? new Set(choice.names)
    : undefined;
  const tools: Record<string, Json>[] = [];
  call.tools.forEach((tool, at) => {
    if (tool.type !== "function") {
      tools.push(encodeServerTool(tool, at, context));
      return;
    }
    if (narrowed && !narrowed.has(tool.name)) return;
    const declaration = encodeFunction(tool, at, context);
    const last = tools.at(-1);
    const before = last?.["functionDeclarations"];
    if (last && Array.isArray(before)) last["functionDeclarations"] = [...before, declaration];
    else tools.push({ functionDeclarations: [declaration] });
  });
  if (call.parallelToolCalls === false && call.tools.length > 0) {
    context.warn(
      "parameter_dropped",
      context.at("parallelToolCalls"),
      "dropped",
      "Calls may be parallel",
    );
  }
  const calling = own || tools.some((tool) => tool["functionDeclarations"])
    ? encodeChoice(call, context)
    : undefined;
  return compact({
    tools: tools.length > 0 ? tools : undefined,
    toolConfig: calling && { functionCallingConfig: calling },
  });
}

function encodeFunction(
  tool: Extract<Tool, { type: "function" }>,
  at: number,
  context: EncodeContext,
): JsonObject {
  const { names, profile, warn } = context;
  const path = tool.path ?? pointer("tools", at);
  const own = ownNative(tool);
  const written = { name: names.toWire(tool.name), description: tool.description };
  if (own) return restore(written, own, declarationMembers);
  if (tool.strict === true) {
    warn("parameter_dropped", `${path}/strict`, "dropped", "Calls are not held to it");
  }
  const schema = tool.parameters;
  if (!schema || isEmptySchema(schema)) return compact(written);
  const target = profile.jsonSchema ? jsonSchemaTarget : openApiTarget;
  const rewritten = downlevelSchema(
    schema,
    target,
    tool.parametersPath ?? `${path}/function/parameters`,
  );
  for (const { code, path, action, detail } of rewritten.warnings) warn(code, path, action, detail);
  if (isEmptySchema(rewritten.value)) return compact(written);
  const member = profile.jsonSchema ? "parametersJsonSchema" : "parameters";
  // The parameters of a function are always an object.
  const parameters = rewritten.value["type"] === undefined
    ? { type: "object", ...rewritten.value }
    : rewritten.value;
  return compact({ ...written, [member]: parameters });
}

function encodeServerTool(
  tool: Exclude<Tool, { type: "function" }>,
  at: number,
  { warn }: EncodeContext,
): Record<string, Json> {
  const own = ownNative(tool);
  if (own) return compact(own);
  if (tool.type === "native") {
    throw new GatewayError(
      "unsupported_content",
      `Cannot write the request in the dialect "${dialectId}": it has no tool of the kind "${tool.kind}"`,
      { param: "tools" },
    );
  }
  for (const name of Object.keys(tool.settings)) {
    warn(
      "parameter_dropped",
      tool.paths?.[name] ?? pointer("tools", at, name),
      "dropped",
      `Web search has no setting "${name}" here`,
    );
  }
  return { googleSearch: {} };
}

function encodeChoice(call: Call, { names }: EncodeContext): JsonObject | undefined {
  const choice = call.toolChoice;
  switch (choice?.type) {
    case undefined:
      return undefined;
    case "auto":
      return { mode: "AUTO" };
    case "none":
      return { mode: "NONE" };
    case "required":
      return { mode: "ANY" };
    case "tool":
      return { mode: "ANY", allowedFunctionNames: [names.toWire(choice.name)] };
    case "allowed": {
      const allowed = { allowedFunctionNames: choice.names.map((name) => names.toWire(name)) };
      if (choice.mode === "required") return { mode: "ANY", ...allowed };
      return { mode: "AUTO", ...(call.dialect === dialectId ? allowed : {}) };
    }
  }
}

/** Every name of a tool the call holds. */
export function toolNames(call: Call): string[] {
  const offered = call.tools.flatMap((tool) => (tool.type === "function" ? [tool.name] : []));
  const called = call.turns.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.type === "tool-call" || part.type === "tool-result" ? [part.name ?? ""] : []
    )
  );
  return [...offered, ...called].filter((name) => name !== "");
}

/** The settings a tool choice of the call's own dialect had beside its mode. */
export function toolConfigOf(call: Call): JsonObject | undefined {
  return call.dialect === dialectId ? objectOf(call.extras["toolConfig"]) : undefined;
}
