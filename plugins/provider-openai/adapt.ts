import type { Adaptation, AdaptRequest, Json, JsonObject, Warning } from "@vmx/core/contract";
import type { OpenAI } from "openai";
import { traitsOf } from "./model-traits.ts";

/** Names of body members, as the vendor's SDK knows them. */
type Neutral = Readonly<Partial<Record<keyof OpenAI.ChatCompletionCreateParams, Json>>>;

/** Parameters that are fixed while a model reasons, each with the value that means nothing. */
const samplingWhileReasoning: Neutral = {
  temperature: 1,
  top_p: 1,
  logprobs: false,
  top_logprobs: 0,
};

/** Parameters reasoning models refuse in any case. */
const neverWithReasoning: Neutral = {
  presence_penalty: 0,
  frequency_penalty: 0,
  logit_bias: {},
};

/**
 * Edits the service's models need: `max_tokens` by its newer name, and no parameters a reasoning model refuses.
 * A value that equals the default goes without a warning, because nothing is lost.
 */
export function adaptBody(request: AdaptRequest): Adaptation | undefined {
  if (request.operation !== "chat") return undefined;
  const traits = traitsOf(request.model);
  if (!traits.needsMaxCompletionTokens) return undefined;
  const { body, dialect, model } = request;
  const remove: string[] = [];
  const warnings: Warning[] = [];
  let set: JsonObject | undefined;

  const drop = (name: string, neutral: Json | undefined) => {
    const value = body[name];
    if (value === undefined || value === null) return;
    const lost = JSON.stringify(value) !== JSON.stringify(neutral);
    // Of all these the service takes one, at its default, so the body can stay as it is.
    if (!lost && name === "temperature") return;
    remove.push(name);
    if (!lost) return;
    warnings.push({
      code: "parameter_dropped",
      path: `/${name}`,
      action: "dropped",
      detail: `${model} does not take ${name}`,
    });
  };

  if (body["max_tokens"] !== undefined && dialect === "openai-chat") {
    remove.push("max_tokens");
    if (body["max_completion_tokens"] === undefined && body["max_tokens"] !== null) {
      set = { max_completion_tokens: body["max_tokens"] };
    }
  }
  if (traits.reasons) {
    const effort = dialect === "openai-chat"
      ? body["reasoning_effort"]
      : (body["reasoning"] as JsonObject | null | undefined)?.["effort"];
    const reasoningOff = traits.mayReasonNot && (effort ?? "none") === "none";
    if (!reasoningOff) {
      for (const [name, neutral] of Object.entries(samplingWhileReasoning)) drop(name, neutral);
    }
    if (dialect === "openai-chat") {
      for (const [name, neutral] of Object.entries(neverWithReasoning)) drop(name, neutral);
      if (traits.refusesStop) drop("stop", []);
    }
  }
  if (remove.length === 0) return undefined;
  return { remove, ...(set && { set }), ...(warnings.length > 0 && { warnings }) };
}
