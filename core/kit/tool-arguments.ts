import type { JsonObject } from "../contract/json.ts";
import type { Warning } from "../contract/warning.ts";
import { isObject } from "./json-text.ts";

/** The arguments of a tool call as an object. */
export interface ToolArguments {
  /** The object; `{"_raw": text}` for a text that is none. */
  readonly input: JsonObject;
  /** True when the text was no JSON object, which `argumentsNotJson` tells of. */
  readonly broken: boolean;
}

/** Reads the argument text of a tool call. None at all is an empty object. */
export function readArguments(text: string): ToolArguments {
  if (text.trim() === "") return { input: {}, broken: false };
  try {
    const input: unknown = JSON.parse(text);
    if (isObject(input)) return { input, broken: false };
  } catch {
    // What is not JSON is handed on as it is, below.
  }
  return { input: { _raw: text }, broken: true };
}

/**
 * The warning for broken arguments in a dialect that has them as an object.
 *
 * @param path where the arguments stand
 * @param streamed true when they went out piece by piece, before it was known
 */
export function argumentsNotJson(path: string, streamed = false): Warning {
  const fate = streamed ? "went on as they came" : 'are passed on as {"_raw": text}';
  return {
    code: "tool_arguments_not_json",
    path,
    action: "approximated",
    detail: `The arguments are not a JSON object and ${fate}`,
  };
}
