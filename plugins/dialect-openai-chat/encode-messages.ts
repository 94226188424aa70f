import type {
  Call,
  ContentPart,
  Json,
  JsonObject,
  ReasoningContent,
  SystemText,
  ToolCallContent,
  ToolResultContent,
  Turn,
} from "@vmx/core/contract";
import { encodeContent, type EncodeContext, nativeValue } from "./encode-content.ts";
import { compact, listOf, numberOf, objectOf, ownNative, pointer, restore } from "./read-json.ts";
import { reasoningMembers, writeDetails } from "./reasoning.ts";

const systemMembers = new Set(["role", "content"]);
const userMembers = new Set(["role", "content", "name"]);
const resultMembers = new Set(["role", "content", "name", "tool_call_id", "is_error"]);
const callMembers = new Set(["id", "type", "function", "function_call"]);
const assistantMembers = new Set([
  "role",
  "content",
  "name",
  "refusal",
  "audio",
  "tool_calls",
  "function_call",
  "reasoning_details",
  ...reasoningMembers,
]);

/** Writes system texts and turns as messages; late system texts stand where they stood. */
export function encodeMessages(call: Call, context: EncodeContext): JsonObject[] {
  const messages: JsonObject[] = [];
  let system = 0;
  const writeSystem = (turnsBefore: number): void => {
    const from = system;
    while (
      system < call.system.length && (call.system[system]?.turnsBefore ?? 0) <= turnsBefore
    ) system++;
    messages.push(...encodeSystem(call.system.slice(from, system), context));
  };
  call.turns.forEach((turn, at) => {
    writeSystem(at);
    const path = turn.path ?? pointer("messages", messages.length);
    const written = encodeTurn(turn, path, context);
    messages.push(...written.map((message) => stripMembers(message, path, context)));
  });
  writeSystem(Number.POSITIVE_INFINITY);
  return messages;
}

/** Texts of one message stay together; texts of other dialects form one message per role. */
function encodeSystem(texts: readonly SystemText[], context: EncodeContext): JsonObject[] {
  const groups: SystemText[][] = [];
  for (const text of texts) {
    const last = groups.at(-1);
    const own = ownNative(text);
    const joins = own
      ? numberOf(own["part"]) !== 0
      : last?.[0] !== undefined && !ownNative(last[0]) && last[0].role === text.role;
    if (joins && last) last.push(text);
    else groups.push([text]);
  }
  return groups.map((group) => {
    const first = ownNative(group[0]!);
    const parts: ContentPart[] = group.map((text) => {
      const original = ownNative(text)?.["original"];
      return {
        type: "text",
        text: text.text,
        ...(text.cache ? { cache: text.cache } : {}),
        ...(original === undefined ? {} : { native: { ...text.native!, value: original } }),
      };
    });
    const spelling = first?.["original"] === undefined ? undefined : [];
    const path = group[0]!.path ?? "/messages";
    const message = restore(
      {
        role: context.profile.systemRole ?? group[0]!.role ?? "system",
        content: encodeContent(parts, spelling, path, context),
      },
      objectOf(first?.["message"]),
      systemMembers,
    );
    return stripMembers(message, path, context);
  });
}

function encodeTurn(turn: Turn, path: string, context: EncodeContext): JsonObject[] {
  if (turn.role === "assistant") return [encodeAssistant(turn, path, context)];
  const results = turn.parts.filter((part) => part.type === "tool-result");
  const rest = turn.parts.filter((part) => part.type !== "tool-result");
  const messages = results.map((result) =>
    encodeResult(result, turn, result.path ?? path, context)
  );
  if (rest.length === 0 && results.length > 0) return messages;
  const own = ownNative(turn);
  messages.push(restore(
    {
      role: "user",
      content: rest.length === 0 && !Array.isArray(own?.["content"])
        ? ""
        : encodeContent(rest, own?.["content"], path, context),
      name: turn.name,
    },
    own,
    userMembers,
  ));
  return messages;
}

function encodeAssistant(turn: Turn, path: string, context: EncodeContext): JsonObject {
  const own = ownNative(turn);
  const spoken: ContentPart[] = [];
  const calls: JsonObject[] = [];
  const message: Record<string, Json | undefined> = { role: "assistant", name: turn.name };
  for (const part of turn.parts) {
    if (part.type === "reasoning") {
      Object.assign(message, encodeReasoning(part, part.path ?? path, context));
    } else if (part.type === "tool-call") {
      const legacy = objectOf(ownNative(part)?.["function_call"]);
      if (legacy) {
        message["function_call"] = {
          name: context.toWire(part.name),
          arguments: argumentText(part),
        };
      } else calls.push(encodeCall(part, context));
    } else if (part.type === "native") {
      const value = nativeValue(part, part.path ?? path);
      if (part.kind === "audio") message["audio"] = value;
      else if (listOf(own?.["tool_calls"]).includes(part.native.value)) calls.push(value);
      else if (value["id"] !== undefined && value["custom"] !== undefined) calls.push(value);
      else spoken.push(part);
    } else if (part.type === "refusal" && !ownNative(part)) message["refusal"] = part.text;
    else spoken.push(part);
  }
  const acts = calls.length > 0 || message["function_call"] !== undefined ||
    message["refusal"] !== undefined || message["audio"] !== undefined;
  if (spoken.length > 0) {
    message["content"] = encodeContent(spoken, own?.["content"], path, context);
  } else if (!own) message["content"] = acts ? null : "";
  if (calls.length > 0) message["tool_calls"] = calls;
  return restore(message, own, assistantMembers);
}

/**
 * Reasoning of this dialect goes back as it came. Of others the text does where the service has a member for it, and
 * what is opaque only to the family that made it.
 */
function encodeReasoning(part: ReasoningContent, path: string, context: EncodeContext): JsonObject {
  const own = ownNative(part);
  const member = own ? own["member"] : context.profile.reasoningField;
  const written = typeof member === "string" ? { [member]: part.text } : {};
  if (own) return compact({ ...written, reasoning_details: own["details"] });
  const opaque = part.signature !== undefined || part.encrypted !== undefined;
  const allowed = part.family === context.family && member !== undefined;
  if (member === undefined || (opaque && !allowed)) {
    context.warnings.push({
      code: "reasoning_dropped",
      path,
      action: "dropped",
      detail: member === undefined
        ? "Messages have no place for reasoning"
        : "Its signature belongs to another provider",
    });
  }
  const details = allowed ? writeDetails(part, part.family) : undefined;
  return details === undefined ? written : { ...written, reasoning_details: details };
}

function encodeCall(part: ToolCallContent, context: EncodeContext): JsonObject {
  const own = ownNative(part);
  const called = restore(
    { name: context.toWire(part.name), arguments: argumentText(part) },
    objectOf(own?.["function"]),
    new Set(["name", "arguments"]),
  );
  return restore({ id: part.id, type: "function", function: called }, own, callMembers);
}

function argumentText(part: ToolCallContent): string {
  return part.inputText ?? JSON.stringify(part.input);
}

function encodeResult(
  result: ToolResultContent,
  turn: Turn,
  path: string,
  context: EncodeContext,
): JsonObject {
  const own = ownNative(turn);
  if (own?.["role"] === "function") {
    const content = encodeContent(result.content, own["content"], path, context);
    return restore({ role: "function", name: result.name, content }, own, resultMembers);
  }
  const spoken = own ? result.content : result.content.map((part) => {
    if (part.type === "text") return part;
    context.warnings.push({
      code: part.type === "image" ? "tool_result_image_dropped" : "tool_result_part_dropped",
      path: part.path ?? path,
      action: "dropped",
      detail: `Tool messages take text only; a part of type "${part.type}" is left out`,
    });
    return { type: "text" as const, text: `[${part.type} left out]` };
  });
  const marked = result.isError && own?.["is_error"] === undefined
    ? markError(spoken, path, context)
    : spoken;
  const content = marked.length === 0 && !Array.isArray(own?.["content"])
    ? ""
    : encodeContent(marked, own?.["content"], path, context);
  return restore(
    {
      role: "tool",
      tool_call_id: result.callId,
      content,
      name: own ? result.name : undefined,
      is_error: own?.["is_error"],
    },
    own,
    resultMembers,
  );
}

/** Tool messages have no error flag: the text says so instead. */
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

function stripMembers(message: JsonObject, path: string, context: EncodeContext): JsonObject {
  const refused = context.profile.stripMessage.filter((name) => message[name] !== undefined);
  if (refused.length === 0) return message;
  for (const name of refused) {
    context.warnings.push({
      code: "parameter_dropped",
      path: path + pointer(name),
      action: "dropped",
      detail: `The provider refuses "${name}" in messages`,
    });
  }
  return compact(
    Object.fromEntries(Object.entries(message).filter(([name]) => !refused.includes(name))),
  );
}
