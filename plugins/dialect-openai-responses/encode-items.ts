import type {
  Json,
  JsonObject,
  ReasoningContent,
  ToolCallContent,
  ToolResultContent,
  Warning,
} from "@vmx/core/contract";
import {
  fileLosses,
  type NameAlphabet,
  packReasoning,
  spellName,
  type ToolNames,
} from "@vmx/core/kit";
import { compact, objectOf, restore } from "@vmx/dialect-openai-chat/read-json";
import { encodePart } from "./encode-content.ts";
import { ownNative } from "./native.ts";

const callMembers = new Set(["type", "call_id", "name", "arguments"]);
const resultMembers = new Set(["type", "call_id", "name", "output"]);

/** What the encoder of a request carries along. */
export interface EncodeContext {
  /** The family reasoning signatures may go to. */
  readonly family: string;
  /** How tools are named on the wire. */
  readonly names: ToolNames;
  readonly warnings: Warning[];
}

/** Ids of calls (OpenAI API reference, `FunctionCallOutputItemParam`). */
const idAlphabet: NameAlphabet = { forbidden: /[^\x21-\x7e]/g, maxLength: 64 };

/**
 * Reasoning is of use only with the encrypted content (or the item's id) its own provider gave it; without, or
 * for another provider, it is left out.
 */
export function encodeReasoning(
  part: ReasoningContent,
  path: string,
  context: EncodeContext,
): JsonObject[] {
  const own = ownNative(part);
  const allowed = part.family === undefined ? own !== undefined : part.family === context.family;
  const drop = (detail: string): JsonObject[] => {
    context.warnings.push({ code: "reasoning_dropped", path, action: "dropped", detail });
    return [];
  };
  if (own) return allowed ? [compact(own)] : drop("The reasoning belongs to another provider");
  const { signature, encrypted, family } = part;
  if (signature === undefined && encrypted === undefined) {
    return drop("The dialect takes back only reasoning with encrypted content");
  }
  if (!allowed || family === undefined) return drop("The reasoning belongs to another provider");
  const summary = part.text === "" ? [] : [{ type: "summary_text", text: part.text }];
  return [{
    type: "reasoning",
    summary,
    encrypted_content: signature === undefined && encrypted !== undefined
      ? encrypted
      : packReasoning({
        family,
        ...(signature === undefined ? {} : { signature }),
        ...(encrypted === undefined ? {} : { encrypted }),
      }),
  }];
}

/** Writes a call the model made earlier. */
export function encodeCall(part: ToolCallContent, context: EncodeContext): JsonObject {
  const own = ownNative(part);
  return restore(
    {
      type: "function_call",
      call_id: own ? part.id : spellName(part.id, idAlphabet),
      name: context.names.toWire(part.name),
      arguments: part.inputText ?? JSON.stringify(part.input),
    },
    own,
    callMembers,
  );
}

/** Writes the result of a call. */
export function encodeResult(
  result: ToolResultContent,
  path: string,
  context: EncodeContext,
): JsonObject {
  const own = ownNative(result);
  for (const part of result.content) {
    if (part.type !== "file" || ownNative(part)) continue;
    context.warnings.push(...fileLosses(part, part.path ?? path));
  }
  const parts = result.isError ? markError(result.content, path, context) : result.content;
  const [first] = parts;
  const bare = parts.length === 1 && first?.type === "text" && !Array.isArray(own?.["output"]);
  const output: Json = bare
    ? first.text
    : parts.length === 0 && !Array.isArray(own?.["output"])
    ? ""
    : parts.map((part, at) =>
      encodePart(part, ownNative(part), "input_text", part.path ?? `${path}/output/${at}`)
    );
  return restore(
    {
      type: "function_call_output",
      call_id: own ? result.callId : spellName(result.callId, idAlphabet),
      output: output === "" && own !== undefined && objectOf(own["output"])
        ? own["output"]
        : output,
      name: own ? result.name : undefined,
    },
    own,
    resultMembers,
  );
}

/** Results have no error flag: the text says so instead. */
function markError(
  parts: ToolResultContent["content"],
  path: string,
  context: EncodeContext,
): ToolResultContent["content"] {
  const [first] = parts;
  if (first?.type === "text" && /^\W*error/i.test(first.text)) return parts;
  context.warnings.push({
    code: "tool_error_flag_approximated",
    path,
    action: "approximated",
    detail: 'The error flag is written as the text "Error:"',
  });
  if (first?.type !== "text") return [{ type: "text", text: "Error:" }, ...parts];
  return [{ ...first, text: `Error: ${first.text}` }, ...parts.slice(1)];
}
