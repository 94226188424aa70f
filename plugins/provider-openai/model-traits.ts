/** What a model's name tells about the parameters it takes. */
export interface ModelTraits {
  /** `max_tokens` is refused; `max_completion_tokens` takes its place. */
  readonly needsMaxCompletionTokens: boolean;
  /** Sampling is fixed while the model reasons. */
  readonly reasons: boolean;
  /** Reasoning is off unless asked for, and sampling works while it is off. */
  readonly mayReasonNot: boolean;
  /** Stop sequences are refused. */
  readonly refusesStop: boolean;
}

const plain: ModelTraits = {
  needsMaxCompletionTokens: false,
  reasons: false,
  mayReasonNot: false,
  refusesStop: false,
};

/**
 * Traits by the model's name, fine-tuned models by the name of their base. Sources: the API reference's notes on
 * `max_tokens` and `stop`, the vendor's guides on reasoning models and on parameter compatibility of gpt-5.1 and
 * later, and recorded refusals (`'stop' is not supported with this model` from o1-mini).
 */
export function traitsOf(model: string): ModelTraits {
  const name = model.startsWith("ft:") ? model.slice(3) : model;
  const series = /^o(\d+)(-[a-z]+)?/.exec(name);
  if (series !== null) {
    const takesStop = name === "o1" || name.startsWith("o1-20") || name.startsWith("o1-pro") ||
      name.startsWith("o3-mini");
    return {
      needsMaxCompletionTokens: true,
      reasons: true,
      mayReasonNot: false,
      refusesStop: !takesStop,
    };
  }
  const five = /^gpt-(\d+)(?:\.(\d+))?(?![\da-z])/.exec(name);
  if (five === null || Number(five[1]) < 5) return plain;
  if (name.includes("-chat")) return { ...plain, needsMaxCompletionTokens: true };
  const later = Number(five[1]) > 5 || Number(five[2] ?? 0) >= 1;
  return {
    needsMaxCompletionTokens: true,
    reasons: true,
    mayReasonNot: later && !/-(pro|codex)/.test(name),
    refusesStop: true,
  };
}
