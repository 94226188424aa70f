import {
  type Call,
  type ContentPart,
  GatewayError,
  type Json,
  type JsonObject,
  type SystemText,
  type ToolCallContent,
  type ToolResultContent,
  type Turn,
} from "@vmx/core/contract";
import { fileLosses } from "@vmx/core/kit";
import { unpackCallId } from "./call-id.ts";
import type { EncodeContext } from "./encode-context.ts";
import { writeMedia } from "./media.ts";
import {
  camelOf,
  compact,
  dialectId,
  listOf,
  objectOf,
  ownNative,
  pointer,
  restore,
  textOf,
} from "./read-json.ts";

const textMembers = new Set(["text"]);
const callMembers = new Set(["id", "name", "args"]);
const partOfCall = new Set(["functionCall", "thoughtSignature"]);
const resultMembers = new Set(["id", "name", "response"]);

/** Writes system texts as `systemInstruction`: texts of other dialects as one, joined by a blank line. */
export function encodeSystem(call: Call, context: EncodeContext): JsonObject | undefined {
  const { system } = call;
  if (system.length === 0) return undefined;
  system.forEach((text) => {
    if (!text.late) return;
    const path = text.path ?? "/messages/0";
    context.warn("system_moved", path, "approximated", "A late system text is put first");
  });
  const own = system.every((text) => ownNative(text) !== undefined);
  const texts: readonly SystemText[] = own ? system : [{
    text: system.map(({ text }) => text).filter((text) => text !== "").join("\n\n"),
  }];
  if (!own && texts[0]?.text === "") return undefined;
  return {
    ...objectOf(ownNative(system[0]!)?.["content"]),
    parts: texts.map(({ text, native }) =>
      restore({ text }, objectOf(objectOf(native?.value)?.["part"]), textMembers)
    ),
  };
}

/**
 * Writes turns as `contents`. Results of parallel calls stand in one content, as the service wants them.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express.
 */
export function encodeContents(call: Call, context: EncodeContext): JsonObject[] {
  const names = new Map<string, string>();
  for (const { parts } of call.turns) {
    for (const part of parts) if (part.type === "tool-call") names.set(part.id, part.name);
  }
  const contents: { turn: Turn; content: JsonObject }[] = [];
  call.turns.forEach((turn, at) => {
    const parts = encodeTurn(turn, turn.path ?? pointer("messages", at), names, context);
    const last = contents.at(-1);
    if (last && turn.role === "tool" && last.turn.role === "tool" && !ownNative(turn)) {
      const before = listOf(last.content["parts"]);
      last.content = { ...last.content, parts: [...before, ...parts] };
    } else if (parts.length > 0 || ownNative(turn)) {
      const role = turn.role === "assistant" ? "model" : "user";
      contents.push({ turn, content: { role, ...ownNative(turn), parts } });
    }
  });
  return contents.map(({ content }) => content);
}

function encodeTurn(
  turn: Turn,
  path: string,
  names: ReadonlyMap<string, string>,
  context: EncodeContext,
): JsonObject[] {
  const parts: Record<string, Json>[] = [];
  /** A signature that waits for the text it belongs to. */
  let waiting: string | undefined;
  let signed = false;
  if (turn.name !== undefined) {
    context.warn(
      "parameter_dropped",
      `${path}/name`,
      "dropped",
      "Contents have no participant's name",
    );
  }
  turn.parts.forEach((part, at) => {
    const below = part.path ?? `${path}/content/${at}`;
    switch (part.type) {
      case "text":
      case "refusal": {
        const own = ownNative(part);
        // The service refuses empty texts.
        if (part.text === "" && !own) break;
        const written = restore({ text: part.text }, own, textMembers);
        if (waiting !== undefined) written["thoughtSignature"] ??= waiting;
        waiting = undefined;
        parts.push(written);
        break;
      }
      case "reasoning": {
        const found = encodeReasoning(part, below, context);
        if (found.part) parts.push(found.part);
        if (found.signature !== undefined) waiting = found.signature;
        break;
      }
      case "tool-call": {
        const written = encodeCall(part, signed ? undefined : context.profile, context);
        signed = true;
        parts.push(written);
        break;
      }
      case "tool-result":
        parts.push(...encodeResult(part, names, below, context));
        break;
      case "image":
      case "file":
      case "audio": {
        warnOfMedia(part, below, context);
        parts.push(ownNative(part) ? compact(ownNative(part)!) : compact(writeMedia(part, below)));
        break;
      }
      case "native": {
        const own = ownNative(part);
        if (own) parts.push(compact(own));
        else refuse(`content of the kind "${part.kind}"`, below);
      }
    }
  });
  if (waiting !== undefined) attachSignature(parts, waiting);
  return parts;
}

/** What of media has no place beside its bytes. */
function warnOfMedia(
  part: Extract<ContentPart, { type: "image" | "file" | "audio" }>,
  path: string,
  context: EncodeContext,
): void {
  if (ownNative(part)) return;
  if (part.type === "image" && part.detail !== undefined && part.detail !== "auto") {
    context.warn("image_detail_dropped", path, "dropped");
  }
  if (part.type === "file" && part.name !== undefined) {
    context.warn("file_name_dropped", path, "dropped", part.name);
  }
  for (const { code, path: at, action } of part.type === "file" ? fileLosses(part, path) : []) {
    context.warn(code, at, action);
  }
}

/** A signature that came after its text, or without any. */
function attachSignature(parts: Record<string, Json>[], signature: string): void {
  const last = parts.findLast((part) =>
    part["text"] !== undefined && part["thought"] !== true && part["thoughtSignature"] === undefined
  );
  if (last) last["thoughtSignature"] = signature;
  else parts.push({ text: "", thoughtSignature: signature });
}

function encodeReasoning(
  part: Extract<ContentPart, { type: "reasoning" }>,
  path: string,
  context: EncodeContext,
): { readonly part?: Record<string, Json>; readonly signature?: string } {
  const own = ownNative(part);
  if (own) return { part: restore({ text: part.text }, own, textMembers) };
  if (part.family !== context.family) {
    const detail = part.family === undefined
      ? "The service takes back reasoning of its own only"
      : "The reasoning belongs to another provider";
    context.warn("reasoning_dropped", path, "dropped", detail);
    return {};
  }
  return {
    ...(part.text === "" ? {} : { part: { text: part.text, thought: true } }),
    ...(part.signature === undefined ? {} : { signature: part.signature }),
  };
}

/** @param profile that of the first call in a turn, which the service wants signed */
function encodeCall(
  part: ToolCallContent,
  profile: EncodeContext["profile"] | undefined,
  { names }: EncodeContext,
): Record<string, Json> {
  const own = ownNative(part);
  const { id, signature } = unpackCallId(part.id);
  const called = restore(
    { id, name: names.toWire(part.name), args: part.input },
    camelOf(own?.["functionCall"]),
    callMembers,
  );
  return restore(
    { functionCall: called, thoughtSignature: signature ?? profile?.signaturePlaceholder },
    own,
    partOfCall,
  );
}

function encodeResult(
  part: ToolResultContent,
  called: ReadonlyMap<string, string>,
  path: string,
  context: EncodeContext,
): Record<string, Json>[] {
  const { names, profile } = context;
  const own = ownNative(part);
  const original = camelOf(own?.["functionResponse"]);
  const name = part.name ?? called.get(part.callId) ?? "";
  if (name === "") refuse("a tool's result without its call", path);
  const { id } = unpackCallId(part.callId);
  const response = objectOf(original?.["response"]) ?? writeResponse(part);
  const media = part.content.filter((each) => each.type !== "text");
  const wire = names.toWire(name);
  const written = restore(
    { id: original && !("id" in original) ? undefined : id, name: wire, response },
    original,
    resultMembers,
  );
  if (original || media.length === 0) {
    return [restore({ functionResponse: written }, own, new Set(["functionResponse"]))];
  }
  const parts = media.map((each) => {
    const place = each.path ?? path;
    if (each.type === "native") return refuse(`content of the kind "${each.kind}"`, place);
    warnOfMedia(each, place, context);
    return writeMedia(each, place);
  });
  return profile.mediaInResults
    ? [{ functionResponse: { ...written, parts } }]
    : [{ functionResponse: written }, ...parts.map(compact)];
}

function writeResponse(part: ToolResultContent): JsonObject {
  const text = part.content.map((each) => (each.type === "text" ? textOf(each.text) : undefined))
    .filter((each) => each !== undefined).join("\n");
  return part.isError ? { error: text } : { output: text };
}

function refuse(what: string, path: string): never {
  throw new GatewayError(
    "unsupported_content",
    `Cannot write the request in the dialect "${dialectId}": it has no place for ${what} (${path})`,
    { param: path },
  );
}
