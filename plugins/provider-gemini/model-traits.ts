import type { DialectProfile } from "@vmx/core/contract";

/**
 * What stands for the signature of a call another model made; the service then does not ask for its own (Gemini API,
 * "Thought signatures", on histories of other models).
 */
const signaturePlaceholder = "skip_thought_signature_validator";

/**
 * How a model takes the dialect, by its name. Sources: the vendor's guides on thinking (budgets of 2.5, levels of 3
 * and later), on thought signatures and on function calling.
 */
export function profileOf(model: string): DialectProfile {
  const name = model.slice(model.lastIndexOf("/") + 1);
  const version = /^gemini-(\d+)(?:\.(\d+))?-?/.exec(name);
  // An alias such as gemini-flash-latest leads to the newest, which still takes budgets.
  if (/^gemini-[a-z-]+-latest$/.test(name)) return { signaturePlaceholder };
  if (version === null) return /^(gemma|learnlm|embedding|text-|imagen)/.test(name) ? still : {};
  const major = Number(version[1]);
  const minor = Number(version[2] ?? 0);
  if (major >= 3) {
    return {
      thinking: "level",
      levels: levelsOf(name, major, minor),
      mayReasonNot: false,
      penalties: false,
      signaturePlaceholder,
      mediaInResults: true,
    };
  }
  if (major < 2 || minor < 5 || /-(image|tts|live)/.test(name)) return still;
  if (name.includes("-flash-lite")) return { ...later, minBudget: 512, maxBudget: 24_576 };
  if (name.includes("-flash")) return { ...later, maxBudget: 24_576 };
  return { ...later, minBudget: 128, maxBudget: 32_768, mayReasonNot: false };
}

/** Models from 2.5 on refuse penalties ("Penalty is not enabled for this model"). */
const later: DialectProfile = { penalties: false };

/** Models that do not reason. */
const still: DialectProfile = { thinking: "none" };

function levelsOf(name: string, major: number, minor: number): readonly string[] {
  if (!name.includes("-pro")) return ["minimal", "low", "medium", "high"];
  return major === 3 && minor === 0 ? ["low", "high"] : ["low", "medium", "high"];
}
