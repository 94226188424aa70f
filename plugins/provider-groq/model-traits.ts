/** Efforts of the canonical call, least first. */
export const efforts = ["none", "minimal", "low", "medium", "high", "xhigh"] as const;

/** What a model's name tells about how it reasons. */
export interface ModelTraits {
  /** Values of `reasoning_effort`; empty when the model refuses it, undefined when unknown. */
  readonly efforts?: readonly string[];
  /** Reasoning stands in the answer's text, between tags, unless `reasoning_format` says otherwise. */
  readonly tagsReasoning: boolean;
}

const graded = ["low", "medium", "high"];
const switched = ["none", "default"];

/**
 * Traits by the model's name. Sources: the SDK's notes on `reasoning_effort`, the vendor's page "Reasoning", and the
 * recordings (tags in the text of qwen3 and of the DeepSeek distillate, a member of its own from gpt-oss; Llama and
 * Kimi do not reason).
 */
export function traitsOf(model: string): ModelTraits {
  if (model.startsWith("openai/gpt-oss")) return { efforts: graded, tagsReasoning: false };
  if (model.startsWith("qwen/qwen3.8")) {
    return { efforts: [...switched, ...graded], tagsReasoning: true };
  }
  if (model.startsWith("qwen/qwen3")) return { efforts: switched, tagsReasoning: true };
  if (model.startsWith("deepseek-r1")) return { tagsReasoning: true };
  if (/^(meta-llama\/|llama|gemma|moonshotai\/kimi-k2-instruct)/.test(model)) {
    return { efforts: [], tagsReasoning: false };
  }
  return { tagsReasoning: false };
}

/**
 * The model's word for an effort: the nearest that is not above it, else its least; `default` where the model has
 * no grades. Null when it takes none, undefined when nothing is known about it.
 */
export function effortFor(model: string, effort: string): string | null | undefined {
  const { efforts: taken } = traitsOf(model);
  if (taken === undefined || taken.includes(effort)) return taken && effort;
  if (taken.length === 0 || effort === "default") return null;
  const grades: readonly string[] = efforts;
  const known = grades.filter((each) => taken.includes(each) && each !== "none");
  const below = known.filter((each) => grades.indexOf(each) <= grades.indexOf(effort));
  return below.at(-1) ?? known[0] ?? "default";
}
