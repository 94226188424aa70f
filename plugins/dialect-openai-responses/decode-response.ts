import type {
  Block,
  DecodeOptions,
  FinishPart,
  JsonObject,
  Operation,
  Part,
  StartPart,
  Translated,
  UsagePart,
  Warning,
} from "@vmx/core/contract";
import { toldMembers } from "@vmx/core/kit";
import { numberOf, objectOf, textOf } from "@vmx/dialect-openai-chat/read-json";
import { decodeItem } from "./decode-item.ts";
import { readFinishReason } from "./finish-reason.ts";
import { lossOfOutput } from "./loss-of-items.ts";
import { native, omit, present } from "./native.ts";
import { checkResponse, heldBy } from "./read-answer.ts";
import { readTokens } from "./tokens.ts";

/**
 * Reads a plain answer into Parts. What the response says beyond its output and usage is kept with its finish, so
 * that an answer to a caller of this dialect loses nothing.
 *
 * Throws `upstream_invalid_response` when it is no finished response, and `upstream_error` when it failed.
 */
export function decodeResponse(
  body: JsonObject,
  _operation: Operation,
  options: DecodeOptions = {},
): Translated<readonly Part[]> {
  const items = checkResponse(body);
  const warnings: Warning[] = [];
  const usage = readUsage(body);
  return {
    value: [
      readStart(body),
      ...items.flatMap(decodeItem).map((block) => withCallersName(block, options)),
      ...(usage ? [usage] : []),
      readFinish(body, items, warnings),
    ],
    warnings,
  };
}

/** Names a tool call as the caller named the tool. */
export function withCallersName(block: Block, { toolNames }: DecodeOptions): Block {
  const name = block.type === "tool-call" ? toolNames?.get(block.name) : undefined;
  return name === undefined ? block : { ...block, name } as Block;
}

/** Reads the members that describe an answer as a whole. */
export function readStart(response: JsonObject): StartPart {
  const tier = textOf(response["service_tier"]);
  return {
    type: "start",
    ...present({
      id: textOf(response["id"]) || undefined,
      model: textOf(response["model"]) || undefined,
      created: numberOf(response["created_at"]),
      // While a stream begins, `auto` is all that is known; its usage names the tier.
      serviceTier: tier === "auto" ? undefined : tier,
    }),
    native: native({}),
  };
}

/** Reads usage, which is kept as it stands for answers of this dialect; undefined when there is none. */
export function readUsage(response: JsonObject): UsagePart | undefined {
  const tokens = readTokens(response);
  if (!tokens) return undefined;
  const tier = textOf(response["service_tier"]);
  return {
    type: "usage",
    tokens,
    ...(tier === undefined ? {} : { serviceTier: tier }),
    native: native(objectOf(response["usage"]) ?? {}),
  };
}

/** Members of a response that have a canonical place, or that only repeat its request. */
const responseMembers = [
  "id",
  "object",
  "created_at",
  "completed_at",
  "model",
  "status",
  "error",
  "incomplete_details",
  "output",
  "output_text",
  "usage",
  "tool_usage",
  "service_tier",
  "access_programs",
  "background",
  "context_management",
  "conversation",
  "frequency_penalty",
  "image",
  "include",
  "instructions",
  "max_output_tokens",
  "max_tool_calls",
  "metadata",
  "parallel_tool_calls",
  "presence_penalty",
  "previous_response_id",
  "prompt",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "reasoning",
  "safety_identifier",
  "store",
  "temperature",
  "text",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "truncation",
  "user",
] as const;

/** Reads why the answer ended. */
export function readFinish(
  response: JsonObject,
  items: readonly JsonObject[],
  warnings: Warning[],
): FinishPart {
  const { reason, raw, known } = readFinishReason(response, heldBy(items));
  warnings.push(...lossOfOutput(items));
  if (!known) {
    warnings.push({
      code: "unknown_finish_reason",
      path: "/status",
      action: "approximated",
      detail: (raw ?? "").slice(0, 100),
    });
  }
  return {
    type: "finish",
    choice: 0,
    reason,
    ...present({ raw, extras: toldMembers(omit(response, ...responseMembers)) }),
    native: native(omit(response, "output", "usage")),
  };
}
