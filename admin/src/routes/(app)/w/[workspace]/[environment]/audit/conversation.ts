/** One part of what was said. */
export interface Said {
  readonly role: string;
  readonly text?: string;
  /** What is no text: a call, a result, a picture. */
  readonly other?: unknown;
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value: unknown): readonly unknown[] => Array.isArray(value) ? value : [];

/** What was said in a request, of whichever dialect. */
export function saidInRequest(body: unknown): Said[] {
  if (!isObject(body)) return [];
  return [
    ...saidBy("system", body["system"]),
    ...saidBy("instructions", body["instructions"]),
    ...list(body["messages"]).flatMap(message),
    ...(Array.isArray(body["input"])
      ? body["input"].flatMap((item) =>
        typeof item === "string" ? saidBy("input", item) : message(item)
      )
      : saidBy("user", body["input"])),
  ];
}

/** What was said in an answer, of whichever dialect. */
export function saidInAnswer(body: unknown): Said[] {
  if (!isObject(body)) return [];
  return [
    ...list(body["choices"]).flatMap((choice) =>
      isObject(choice) ? message(choice["message"]) : []
    ),
    ...(body["type"] === "message" ? saidBy("assistant", body["content"]) : []),
    ...list(body["output"]).flatMap(message),
  ];
}

function message(value: unknown): Said[] {
  if (!isObject(value)) return [];
  const role = typeof value["role"] === "string"
    ? value["role"]
    : String(value["type"] ?? "assistant");
  const said = [
    ...saidBy("reasoning", value["reasoning_content"] ?? value["reasoning"]),
    ...saidBy(role, value["content"]),
    ...saidBy(`${role} refuses`, value["refusal"]),
    ...list(value["tool_calls"]).map((call) => ({ role: `${role} calls a tool`, other: call })),
  ];
  return said.length > 0 || "content" in value ? said : [{ role, other: value }];
}

function saidBy(role: string, content: unknown): Said[] {
  if (typeof content === "string") return content === "" ? [] : [{ role, text: content }];
  return list(content).flatMap((part): Said[] => {
    if (typeof part === "string") return [{ role, text: part }];
    if (!isObject(part)) return [];
    const text = part["text"] ?? part["thinking"];
    return [typeof text === "string" ? { role, text } : { role, other: part }];
  });
}
