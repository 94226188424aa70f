import type { JsonObject } from "@vmx/core/contract";

/** What is told to the dialect about a model: members of its profile. */
type Traits = JsonObject;

/** Choices of tools are understood by few families; the others choose by themselves. */
const ownChoice: Traits = { cachePoints: false, toolChoices: [] };

/**
 * Families whose models take a JSON Schema for the answer (user guide, "Structured outputs"; recorded for GLM).
 */
const structured: Traits = { ...ownChoice, structuredOutput: true };

const families: readonly (readonly [RegExp, Traits | ((name: string) => Traits)])[] = [
  [/^anthropic\./, claude],
  [/^amazon\.nova/, nova],
  [/^mistral\./, { cachePoints: false, toolChoices: ["auto", "any"], topK: "top_k" }],
  [/^openai\./, { ...structured, reasoning: "reasoning_effort" }],
  [/^(zai|qwen|moonshotai?|minimax|nvidia|google)\./, structured],
  [/^deepseek\.v/, structured],
  [/^(meta|cohere|ai21|deepseek|writer|amazon|twelvelabs)\./, ownChoice],
];

/**
 * Traits by the model's name, whatever region prefix or ARN it stands in. A name that tells nothing, such as the ARN
 * of an application's own profile, gets the dialect's defaults. Sources: the user guide's tables of supported models
 * for prompt caching, tool use, structured output and reasoning, and recorded traffic.
 */
export function traitsOf(model: string): Traits {
  const name = modelName(model);
  const traits = families.find(([pattern]) => pattern.test(name))?.[1];
  return typeof traits === "function" ? traits(name) : traits ?? {};
}

/** A model's name without ARN and region prefix, such as `anthropic.claude-haiku-4-5-20251001-v1:0`. */
export function modelName(model: string): string {
  const last = model.startsWith("arn:") ? model.slice(model.lastIndexOf("/") + 1) : model;
  return last.replace(/^(us-gov|us|eu|apac|ap|jp|au|ca|sa|me|af|global)\./, "");
}

/**
 * Versions stand behind the tier since 4 (`claude-sonnet-4-5`) and before it until then (`claude-3-7-sonnet`).
 * What a version takes is the model's own affair, here as at its maker (migration guides, "Troubleshooting thinking").
 */
function claude(name: string): Traits {
  const match = /claude-(?:([a-z]+)-)?(\d+)(?:-(\d{1,2})(?!\d))?/.exec(name);
  if (!match) return { cachePoints: false, topK: "top_k", tellsStopSequence: true };
  const version = Number(match[2]) + Number(match[3] ?? 0) / 10;
  const recent = version >= 4.5;
  return {
    reasoning: version >= 4.6 ? "adaptive" : version >= 3.7 ? "budget" : "none",
    ...(version >= 4.6 ? adaptive(match[1] ?? "", version) : {}),
    topK: "top_k",
    structuredOutput: recent,
    singleToolCall: recent,
    cachePoints: version >= 3.5,
    cacheTtl: recent,
    sampling: version >= 4.7 ? "none" : version >= 4.1 ? "either" : "both",
    tellsStopSequence: true,
  };
}

/** From 5 on some models cannot do without thinking, and some of these cannot be made to call a tool. */
function adaptive(family: string, version: number): Traits {
  const always = family === "fable" || family === "mythos" || (version > 5 && family === "opus");
  const thinkingOff = version < 5 || !always
    ? version > 5 && family === "sonnet" ? "between_tools" : "disabled"
    : "none";
  return {
    efforts: ["low", "medium", "high", ...(version >= 4.7 ? ["xhigh"] : [])],
    thinkingOff,
    ...(thinkingOff === "none" && version > 5 ? { toolChoices: ["auto"] } : {}),
  };
}

function nova(name: string): Traits {
  const second = /^amazon\.nova-2/.test(name);
  return {
    reasoning: second ? "maxReasoningEffort" : "none",
    topK: "inferenceConfig.topK",
    toolCachePoints: false,
    cacheTtl: false,
    ...(second || name.includes("premier") ? { webSearchTool: "nova_grounding" } : {}),
  };
}
