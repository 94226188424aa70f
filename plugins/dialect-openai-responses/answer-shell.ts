import type {
  AnswerContext,
  FinishReason,
  JsonObject,
  StartPart,
  UsagePart,
} from "@vmx/core/contract";
import { compact, objectOf } from "@vmx/dialect-openai-chat/read-json";
import { writeIncomplete } from "./finish-reason.ts";
import { ownNative } from "./native.ts";
import { writeTokens } from "./tokens.ts";
import { idBase } from "./write-item.ts";

/** Members of the request a response repeats, with what they are when the request does not say. */
const repeated: JsonObject = {
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  temperature: 1,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  truncation: "disabled",
  user: null,
};

/** What a response holds besides its output. */
export interface Shell {
  readonly start: StartPart | undefined;
  readonly context: AnswerContext;
  /** The members as the provider spelled them, where it speaks this dialect. */
  readonly original?: JsonObject | undefined;
  /** What a provider of another dialect told at the end. */
  readonly extras?: JsonObject | undefined;
}

/** Writes a response as it stands while it is being made. */
export function writeOpenResponse({ start, context }: Shell): JsonObject {
  return {
    ...writeHead({ start, context }),
    status: "in_progress",
    output: [],
    usage: null,
  };
}

/** Writes a response that has ended. */
export function writeResponse(
  shell: Shell,
  output: readonly JsonObject[],
  usage: UsagePart | undefined,
  reason: FinishReason | undefined,
): JsonObject {
  const { original } = shell;
  if (original) {
    return compact({ ...original, output, usage: usage ? writeUsage(usage) : undefined });
  }
  const incomplete = writeIncomplete(reason);
  const searches = usage?.tokens.webSearchRequests ?? null;
  return {
    ...shell.extras,
    ...writeHead(shell),
    ...(usage?.serviceTier === undefined ? {} : { service_tier: usage.serviceTier }),
    status: incomplete === undefined ? "completed" : "incomplete",
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    output,
    usage: usage ? writeUsage(usage) : null,
    ...(searches === null ? {} : { tool_usage: { web_search: { num_requests: searches } } }),
  };
}

/** Whether an answer with this finish is cut short, which its last item shows. */
export function isCutShort(
  original: JsonObject | undefined,
  reason: FinishReason | undefined,
): boolean {
  return original ? original["status"] === "incomplete" : writeIncomplete(reason) !== undefined;
}

function writeHead({ start, context }: Shell): JsonObject {
  const own = start && ownNative(start);
  const call = context.call;
  const asked = call && ownNative(call);
  const echoed: Record<string, JsonObject[string]> = { ...repeated };
  for (const name of Object.keys(repeated)) {
    const value = asked?.[name];
    if (value !== undefined && value !== null) echoed[name] = value;
  }
  const reasoning = objectOf(asked?.["reasoning"]);
  if (reasoning) echoed["reasoning"] = { effort: null, summary: null, ...reasoning };
  const text = objectOf(asked?.["text"]);
  if (text) echoed["text"] = { format: { type: "text" }, ...text };
  return compact({
    ...echoed,
    ...start?.extras,
    system_fingerprint: start?.systemFingerprint,
    // Ids of other dialects would not be taken for one of a response.
    id: start?.id?.startsWith("resp_") || (own && start?.id !== undefined)
      ? start.id
      : `resp_${idBase(context)}`,
    object: "response",
    created_at: start?.created ?? context.now,
    model: start?.model ?? context.model,
    background: false,
    error: null,
    incomplete_details: null,
    service_tier: start?.serviceTier,
    // Nothing is kept of a translated answer: no later request can go on from it.
    store: false,
  });
}

function writeUsage(usage: UsagePart): JsonObject {
  return ownNative(usage) ?? writeTokens(usage.tokens);
}
