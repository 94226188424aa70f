import type {
  Call,
  Json,
  JsonObject,
  Operation,
  OutputFormat,
  ReasoningSettings,
  Sampling,
  Translated,
  Warning,
} from "@vmx/core/contract";
import { checkShape, settingPaths } from "@vmx/core/kit";
import { flagOf, listOf, numberOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { isEffort } from "@vmx/dialect-openai-chat/reasoning-effort";
import { decodeInput } from "./decode-input.ts";
import { decodeToolChoice, decodeTools } from "./decode-tools.ts";
import { lossOfInput, lossOfTools } from "./loss-of-items.ts";
import { dialectId, native, omit, present } from "./native.ts";
import { requestShape } from "./request-shape.ts";
import { settingMembers } from "./setting-members.ts";
import { validate } from "./validate.ts";

/** Members the canonical call has a place for; all others are extras. */
const known: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "stream",
  "tools",
  "parallel_tool_calls",
  "temperature",
  "top_p",
  "top_logprobs",
  "max_output_tokens",
  "service_tier",
  "metadata",
]);

/** What `include` may ask for that every translated answer holds anyway. */
export const alwaysIncluded: ReadonlySet<Json> = new Set([
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

/**
 * Reads a request body into the canonical call. Members that name what a provider stores (`statefulMembers`) are
 * among its extras.
 *
 * Throws `invalid_request` naming the member at fault, and `operation_not_supported` for `background`.
 */
export function decodeRequest(body: JsonObject, operation: Operation): Translated<Call> {
  validate(body, operation);
  checkShape(body, requestShape);
  const input = decodeInput(body);
  const tools = decodeTools(body["tools"]);
  const toolChoice = decodeToolChoice(body, tools);
  const reasoning = decodeReasoningSettings(body["reasoning"]);
  const text = objectOf(body["text"]);
  const output = decodeOutput(text?.["format"]);
  const identifier = textOf(body["safety_identifier"]);

  const extras = new Map<string, Json>();
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null || known.has(name) || isQuiet(name, value)) continue;
    extras.set(name, value);
  }
  const replace = (name: string, rest: Json | undefined): void => {
    if (rest === undefined) extras.delete(name);
    else if (extras.has(name)) extras.set(name, rest);
  };
  if (toolChoice) extras.delete("tool_choice");
  if (text) replace("text", filled(output ? omit(text, "format") : text));
  if (reasoning.exact) replace("reasoning", filled(reasoning.rest));
  if (Array.isArray(body["include"])) {
    const asked = listOf(body["include"]).filter((entry) => !alwaysIncluded.has(entry));
    replace("include", asked.length === 0 ? undefined : asked);
  }
  extras.delete("safety_identifier");
  if (identifier === undefined) extras.delete("user");

  const call: Call = {
    operation,
    dialect: dialectId,
    model: textOf(body["model"]) ?? "",
    stream: body["stream"] === true,
    system: input.system,
    turns: input.turns,
    tools,
    sampling: decodeSampling(body),
    ...present({
      toolChoice,
      parallelToolCalls: flagOf(body["parallel_tool_calls"]),
      output,
      maxOutputTokens: numberOf(body["max_output_tokens"]),
      reasoning: reasoning.settings,
      user: identifier ?? textOf(body["user"]),
      serviceTier: textOf(body["service_tier"]),
      metadata: objectOf(body["metadata"]),
    }),
    paths: settingPaths(body, settingMembers),
    extras: Object.fromEntries(extras),
    native: native(omit(body, "input")),
  };
  return {
    value: call,
    warnings: [
      ...input.warnings,
      ...lossOfInput(body["input"]),
      ...lossOfTools(body["tools"]),
      ...reasoning.warnings,
    ],
  };
}

/** Whether a member says what is so anyway once the request is translated: nothing is lost without it. */
export function isQuiet(name: string, value: Json): boolean {
  switch (name) {
    case "store":
    case "background":
    case "stream":
      return value === false;
    case "truncation":
      return value === "disabled";
    case "top_logprobs":
      return value === 0;
    // Padding against guessing texts by their lengths.
    case "stream_options":
      return true;
    default:
      return false;
  }
}

function decodeSampling(body: JsonObject): Sampling {
  const topLogprobs = numberOf(body["top_logprobs"]) || undefined;
  const included = listOf(body["include"]).includes("message.output_text.logprobs");
  return present({
    temperature: numberOf(body["temperature"]),
    topP: numberOf(body["top_p"]),
    logprobs: included || topLogprobs !== undefined ? true : undefined,
    topLogprobs,
  });
}

function decodeOutput(value: Json | undefined): OutputFormat | undefined {
  const format = objectOf(value);
  switch (format?.["type"]) {
    case "text":
      return { type: "text" };
    case "json_object":
      return { type: "json" };
    case "json_schema":
      return {
        type: "json-schema",
        ...present({
          name: textOf(format["name"]),
          description: textOf(format["description"]),
          strict: flagOf(format["strict"]),
        }),
        schema: objectOf(format["schema"]) ?? {},
      };
    default:
      return undefined;
  }
}

interface DecodedReasoning {
  readonly settings?: ReasoningSettings;
  /** Settings without a canonical form, such as `context`. */
  readonly rest: JsonObject;
  /** False when the original says more and is kept whole. */
  readonly exact: boolean;
  readonly warnings: readonly Warning[];
}

/** An effort the canonical call has no word for stays an extra; `max` also counts as the highest it knows. */
function decodeReasoningSettings(value: Json | undefined): DecodedReasoning {
  const reasoning = objectOf(value);
  if (!reasoning) return { rest: {}, exact: true, warnings: [] };
  const spelled = textOf(reasoning["effort"]);
  const effort = spelled === "max" ? "xhigh" : isEffort(spelled) ? spelled : undefined;
  const summary = textOf(reasoning["summary"]) ?? textOf(reasoning["generate_summary"]);
  const rest = Object.fromEntries(
    Object.entries(omit(reasoning, "effort", "summary", "generate_summary"))
      .filter(([, each]) => each !== null),
  );
  const settings = present({ effort, summary });
  return {
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    rest,
    exact: spelled === undefined || effort === spelled,
    warnings: spelled !== "max" ? [] : [{
      code: "reasoning_effort_approximated",
      path: "/reasoning/effort",
      action: "approximated",
      detail: "max is passed on as xhigh to other dialects",
    }],
  };
}

function filled(object: JsonObject): JsonObject | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}
