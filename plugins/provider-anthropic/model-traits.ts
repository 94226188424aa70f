/** What a model's name tells about the requests it takes. */
export interface ModelTraits {
  /** Largest `max_tokens`; undefined when unknown. */
  readonly maxTokens?: number;
  /** How thinking is asked for. */
  readonly thinking: "budget" | "adaptive" | "none";
  /** Values of `output_config.effort`, for models that think adaptively. */
  readonly efforts?: readonly string[];
  /** The `thinking.type` for as little thinking as can be had; undefined when it cannot be turned off. */
  readonly thinkingOff?: "disabled" | "between_tools";
  /** A tool choice may force a call. */
  readonly forcedToolUse: boolean;
  /** `output_config.format` takes a JSON Schema. */
  readonly structuredOutput: boolean;
  /** `both`: temperature and top-p together; `either`: one of them; `none`: neither, nor top-k. */
  readonly sampling: "both" | "either" | "none";
}

const upToMax = ["low", "medium", "high", "max"];
const withXHigh = ["low", "medium", "high", "xhigh", "max"];

/** For names that tell nothing: what every model of the service took so far. */
const unknown: ModelTraits = {
  thinking: "budget",
  thinkingOff: "disabled",
  forcedToolUse: true,
  structuredOutput: false,
  sampling: "both",
};

/**
 * Traits by the model's name. Sources: the recorded models list with its capabilities (Opus 4.1 to Opus 5), recorded
 * refusals (`xhigh` by Opus 4.6), the vendor's migration guides and its page "Troubleshooting thinking" (who takes
 * which `thinking.type`, sampling up to 4.6, no forced tool use since Opus 5.5 and Fable 5.1), the models overview
 * for what came before.
 */
export function traitsOf(model: string): ModelTraits {
  const named = /^claude-([a-z]+)-(\d)(?:-(\d))?(?!\d)/.exec(model);
  if (named !== null) {
    return traitsOfVersion(named[1]!, Number(named[2]) + Number(named[3] ?? 0) / 10);
  }
  if (model.startsWith("claude-mythos-preview")) {
    return { ...adaptive(128_000, upToMax, "disabled"), sampling: "either" };
  }
  const early = /^claude-(\d)(?:-(\d))?-([a-z]+)(?:-(\d{8}))?/.exec(model);
  if (early !== null) return traitsOfEarly(`${early[1]}.${early[2] ?? 0}`, early[3]!, early[4]);
  return unknown;
}

function traitsOfVersion(family: string, version: number): ModelTraits {
  if (version < 4.1) return { ...unknown, maxTokens: family === "opus" ? 32_000 : 64_000 };
  if (version < 4.6) {
    return {
      maxTokens: version < 4.5 ? 32_000 : 64_000,
      thinking: "budget",
      thinkingOff: "disabled",
      forcedToolUse: true,
      structuredOutput: true,
      sampling: "either",
    };
  }
  if (version < 4.7) return { ...adaptive(128_000, upToMax, "disabled"), sampling: "either" };
  const restless = version > 5 && leastThinking(family, version) === undefined;
  return {
    ...adaptive(128_000, withXHigh, leastThinking(family, version)),
    forcedToolUse: !restless,
  };
}

/** From 5 on some models cannot do without thinking. */
function leastThinking(family: string, version: number): ModelTraits["thinkingOff"] {
  if (version < 5) return "disabled";
  if (family === "fable" || family === "mythos") return undefined;
  if (version < 5.5 || family === "haiku") return "disabled";
  return family === "sonnet" ? "between_tools" : undefined;
}

function adaptive(
  maxTokens: number,
  efforts: readonly string[],
  thinkingOff: ModelTraits["thinkingOff"],
): ModelTraits {
  return {
    maxTokens,
    thinking: "adaptive",
    efforts,
    ...(thinkingOff && { thinkingOff }),
    forcedToolUse: true,
    structuredOutput: true,
    sampling: "none",
  };
}

function traitsOfEarly(version: string, family: string, date: string | undefined): ModelTraits {
  if (version === "3.7") return { ...unknown, maxTokens: 64_000 };
  const small = version === "3.0" || date === "20240620";
  return {
    ...unknown,
    maxTokens: family === "instant" || small ? 4_096 : 8_192,
    thinking: "none",
  };
}
