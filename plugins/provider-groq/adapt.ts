import {
  type Adaptation,
  type AdaptRequest,
  GatewayError,
  type Json,
  type JsonObject,
  type Warning,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { effortFor } from "./model-traits.ts";
import { refusedMembers } from "./profile.ts";

/** Values of members that mean nothing, so that their loss is none. */
const neutral: Readonly<Record<string, Json>> = {
  logit_bias: {},
  logprobs: false,
  top_logprobs: 0,
  store: false,
  verbosity: "medium",
  include: [],
  service_tier: "default",
};

/** Members another service's callers send and this one does not know. Caching is automatic. */
const unknownMembers: Readonly<Record<string, readonly string[]>> = {
  "openai-chat": ["store", "verbosity"],
  "openai-responses": ["include"],
};
const cacheMembers = ["prompt_cache_key", "prompt_cache_retention"];

/** Tiers each API has (SDK, `service_tier`; API reference of Responses). */
const tiers: Readonly<Record<string, readonly string[]>> = {
  "openai-chat": ["auto", "on_demand", "flex", "performance"],
  "openai-responses": ["auto", "default", "flex"],
};

/**
 * Edits a passed-through body so that the service takes it: members it answers with 400 go, each with a warning
 * unless nothing is lost, and an effort the model has no word for becomes the nearest.
 *
 * Throws `unsupported_content` when more than one answer is asked for.
 */
export function adaptBody(request: AdaptRequest): Adaptation | undefined {
  const { operation, dialect, model, body } = request;
  if (operation !== "chat") return undefined;
  if (typeof body["n"] === "number" && body["n"] > 1) {
    throw new GatewayError(
      "unsupported_content",
      `Cannot send the request: the provider gives one answer, not n = ${body["n"]}`,
      { param: "n" },
    );
  }
  const remove: string[] = [];
  const warnings: Warning[] = [];
  const set: Record<string, Json> = {};

  const drop = (name: string) => {
    const value = body[name];
    if (value === undefined) return;
    remove.push(name);
    const lost = value !== null && JSON.stringify(value) !== JSON.stringify(neutral[name]);
    if (lost) warnings.push(dropped(`/${name}`, `the service does not take ${name}`));
  };

  for (const name of [...refusedMembers, ...unknownMembers[dialect] ?? []]) drop(name);
  // Only answers that are kept are refused.
  if (dialect === "openai-responses" && body["store"] === true) drop("store");
  remove.push(...cacheMembers.filter((name) => Object.hasOwn(body, name)));
  const tier = body["service_tier"];
  if (typeof tier === "string" && !tiers[dialect]?.includes(tier)) drop("service_tier");
  if (body["safety_identifier"] !== undefined) {
    remove.push("safety_identifier");
    if (typeof body["user"] !== "string") set["user"] = body["safety_identifier"];
  }
  const messages = withoutNames(body["messages"], warnings);
  if (messages) set["messages"] = messages;
  adaptEffort(dialect, model, body, { remove, warnings, set });
  const changes = Object.keys(set).length > 0;
  if (remove.length === 0 && !changes) return undefined;
  return {
    ...(remove.length > 0 && { remove }),
    ...(changes && { set }),
    ...(warnings.length > 0 && { warnings }),
  };
}

/** Messages without `name`, but for the legacy results of functions, which it belongs to; undefined when none has one. */
function withoutNames(
  messages: Json | undefined,
  warnings: Warning[],
): readonly Json[] | undefined {
  if (!Array.isArray(messages)) return undefined;
  const named = (message: Json): message is JsonObject =>
    isObject(message) && message["name"] !== undefined && message["role"] !== "function";
  const list: readonly Json[] = messages;
  if (!list.some(named)) return undefined;
  return list.map((message, at) => {
    if (!named(message)) return message;
    const { name, ...rest } = message;
    if (name !== null) {
      warnings.push(dropped(`/messages/${at}/name`, "the service takes no names of participants"));
    }
    return rest;
  });
}

interface Edits {
  readonly remove: string[];
  readonly warnings: Warning[];
  readonly set: Record<string, Json>;
}

function adaptEffort(
  dialect: string,
  model: string,
  body: JsonObject,
  { remove, warnings, set }: Edits,
): void {
  const reasoning = isObject(body["reasoning"]) ? body["reasoning"] : undefined;
  const chat = dialect === "openai-chat";
  const effort = chat ? body["reasoning_effort"] : reasoning?.["effort"];
  if (typeof effort !== "string") return;
  const taken = effortFor(model, effort);
  if (taken === undefined || taken === effort) return;
  const path = chat ? "/reasoning_effort" : "/reasoning/effort";
  if (taken === null) {
    if (chat) remove.push("reasoning_effort");
    else {
      const { effort: _, ...rest } = reasoning!;
      if (Object.keys(rest).length === 0) remove.push("reasoning");
      else set["reasoning"] = rest;
    }
    // Not to reason, or as the model does anyway, is what happens.
    if (effort !== "none" && effort !== "default") {
      warnings.push(dropped(path, `${model} takes no effort`));
    }
    return;
  }
  if (chat) set["reasoning_effort"] = taken;
  else set["reasoning"] = { ...reasoning, effort: taken };
  warnings.push({
    code: "reasoning_effort_approximated",
    path,
    action: "approximated",
    detail: `${effort} is passed on as ${taken}`,
  });
}

function dropped(path: string, detail: string): Warning {
  return { code: "parameter_dropped", path, action: "dropped", detail };
}
