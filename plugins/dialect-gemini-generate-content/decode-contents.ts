import type {
  ContentPart,
  Json,
  JsonObject,
  SystemText,
  ToolResultContent,
  Turn,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { makeCallId, packCallId } from "./call-id.ts";
import { readMedia } from "./media.ts";
import { camel, camelOf, native, objectOf, objectsOf, ownFamily, textOf } from "./read-json.ts";

/** Reads `systemInstruction`; the first text keeps the members beside its parts. */
export function decodeSystem(instruction: Json | undefined): SystemText[] {
  if (typeof instruction === "string") return [{ text: instruction, native: native({}) }];
  const own = camelOf(instruction);
  if (!own) return [];
  const { parts, ...rest } = own;
  return objectsOf(parts).map((part, at) => ({
    text: textOf(part["text"]) ?? "",
    native: native({ part: camel(part), ...(at === 0 ? { content: rest } : {}) }),
  }));
}

/** A call that waits for its result. */
interface OpenCall {
  readonly id: string;
  readonly name: string;
  /** The id the call bears with its signature in it, which its result must bear too. */
  readonly packedId: string;
}

/** Reads `contents` into turns; a content with results becomes a turn of role `tool`. */
export function decodeContents(contents: Json | undefined): Turn[] {
  const open: OpenCall[] = [];
  return objectsOf(contents).map(camel).map((content, at): Turn => {
    const model = content["role"] === "model";
    const parts = objectsOf(content["parts"]).map((part, place) =>
      decodePart(camel(part), model, [at, place], open)
    );
    const { parts: _parts, ...rest } = content;
    const role = model
      ? "assistant"
      : parts.some((part) => part.type === "tool-result")
      ? "tool"
      : "user";
    return { role, parts, native: native(rest) };
  });
}

function decodePart(
  part: JsonObject,
  model: boolean,
  place: readonly number[],
  open: OpenCall[],
): ContentPart {
  const kept = { native: native(part) };
  const signature = textOf(part["thoughtSignature"]);
  const text = textOf(part["text"]);
  if (text !== undefined) {
    if (part["thought"] !== true) return { type: "text", text, ...kept };
    return {
      type: "reasoning",
      text,
      family: ownFamily,
      ...(signature === undefined ? {} : { signature }),
      ...kept,
    };
  }
  const call = camelOf(part["functionCall"]);
  if (call && model) {
    const name = textOf(call["name"]) ?? "";
    const id = textOf(call["id"]) ?? makeCallId("request", ...place, name);
    const packedId = packCallId(id, signature);
    open.push({ id, name, packedId });
    return {
      type: "tool-call",
      id: packedId,
      name,
      input: objectOf(call["args"]) ?? {},
      ...kept,
    };
  }
  const result = camelOf(part["functionResponse"]);
  if (result) return { ...decodeResult(result, open), ...kept };
  const [kind = "unknown"] = Object.keys(part).filter((name) => name !== "thoughtSignature");
  return readMedia(part) ?? { type: "native", kind, ...kept };
}

/** A result without an id belongs to the first call of its name that has none yet. */
function decodeResult(result: JsonObject, open: OpenCall[]): ToolResultContent {
  const id = textOf(result["id"]);
  const name = textOf(result["name"]);
  const at = open.findIndex((call) => (id === undefined ? call.name === name : call.id === id));
  const [call] = at < 0 ? [] : open.splice(at, 1);
  const { text, isError } = readResponse(objectOf(result["response"]) ?? {});
  const media = objectsOf(result["parts"]).map((part): ToolResultContent["content"][number] => {
    const read = readMedia(camel(part));
    return read && read.type !== "audio"
      ? read
      : { type: "native", kind: "functionResponsePart", native: native(part) };
  });
  return {
    type: "tool-result",
    callId: call?.packedId ?? id ?? "",
    ...(name === undefined ? {} : { name }),
    content: [{ type: "text", text }, ...media],
    ...(isError ? { isError } : {}),
  };
}

/** `output` and `error` are the members the service itself gives a meaning. */
function readResponse(response: JsonObject): { readonly text: string; readonly isError: boolean } {
  const [name, ...others] = Object.keys(response);
  const isError = name === "error" && others.length === 0;
  const said = others.length === 0 && (isError || name === "output") ? response[name!] : undefined;
  if (typeof said === "string") return { text: said, isError };
  return {
    text: JSON.stringify(isObject(said) || Array.isArray(said) ? said : response),
    isError,
  };
}
