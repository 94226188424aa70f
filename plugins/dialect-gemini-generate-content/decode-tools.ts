import type { Json, JsonObject, Tool, ToolChoice } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import {
  camel,
  camelOf,
  listOf,
  native,
  objectOf,
  objectsOf,
  present,
  textOf,
} from "./read-json.ts";
import { readSchema } from "./schema.ts";

/** Reads `tools`: each declared function and each tool of the service is one of its own. */
export function decodeTools(tools: Json | undefined): Tool[] {
  return objectsOf(tools).map(camel).flatMap((tool): Tool[] =>
    Object.entries(tool).flatMap(([name, value]): Tool[] => {
      if (name === "functionDeclarations") return objectsOf(value).map(decodeFunction);
      if (value === undefined) return [];
      const kept = native({ [name]: value });
      return name === "googleSearch" && isObject(value)
        ? [{ type: "web-search", settings: {}, native: kept }]
        : [{ type: "native", kind: name, native: kept }];
    })
  );
}

function decodeFunction(declaration: JsonObject): Tool {
  const own = camel(declaration);
  const schema = objectOf(own["parameters"]);
  return {
    type: "function",
    name: textOf(own["name"]) ?? "",
    ...present({
      description: textOf(own["description"]),
      parameters: objectOf(own["parametersJsonSchema"]) ?? (schema && readSchema(schema)),
    }),
    native: native(own),
  };
}

/** Reads `toolConfig`; `rest` is what no other dialect has. */
export function decodeToolConfig(
  config: Json | undefined,
): { readonly choice?: ToolChoice; readonly rest?: JsonObject } {
  const own = camelOf(config);
  const calling = camelOf(own?.["functionCallingConfig"]);
  const choice = readChoice(
    textOf(calling?.["mode"]),
    listOf(calling?.["allowedFunctionNames"]).filter((name) => typeof name === "string"),
  );
  const { functionCallingConfig: _calling, ...others } = own ?? {};
  const { mode: _mode, allowedFunctionNames: _names, ...settings } = calling ?? {};
  const left = choice ? settings : calling ?? {};
  const rest = {
    ...others,
    ...(Object.keys(left).length === 0 ? {} : { functionCallingConfig: left }),
  };
  return {
    ...(choice ? { choice } : {}),
    ...(Object.keys(rest).length === 0 ? {} : { rest }),
  };
}

function readChoice(
  mode: string | undefined,
  names: readonly string[],
): ToolChoice | undefined {
  const [first, ...others] = names;
  switch (mode?.toUpperCase()) {
    case "AUTO":
      return first === undefined ? { type: "auto" } : { type: "allowed", mode: "auto", names };
    case "NONE":
      return { type: "none" };
    case "ANY":
      if (first === undefined) return { type: "required" };
      return others.length === 0
        ? { type: "tool", name: first }
        : { type: "allowed", mode: "required", names };
    default:
      return undefined;
  }
}
