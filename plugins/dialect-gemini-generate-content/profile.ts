import type { DialectProfile } from "@vmx/core/contract";
import { flagOf, listOf, numberOf, textOf } from "./read-json.ts";

/** How a model takes this dialect; provider plugins hand it over as a `DialectProfile` of the same members. */
export interface GenerateProfile {
  /** How the model is told to reason: by tokens (default), by a level's name, or not at all. */
  readonly thinking: "budget" | "level" | "none";
  /** Smallest budget other than zero; 0 when any is taken. */
  readonly minBudget: number;
  /** Largest budget. */
  readonly maxBudget: number;
  /** False when reasoning cannot be switched off; default true. */
  readonly mayReasonNot: boolean;
  /** Levels the model knows, lowest first. */
  readonly levels: readonly string[];
  /** What stands for the signature of a call that another provider's model made; default none. */
  readonly signaturePlaceholder: string | undefined;
  /** True when results of functions may hold images and files; by default these stand beside the result. */
  readonly mediaInResults: boolean;
  /** False when penalties are refused; default true. */
  readonly penalties: boolean;
  /** True when schemas go out as JSON Schema, which takes more keywords; default false. */
  readonly jsonSchema: boolean;
}

/** Reads a profile and fills in the defaults. */
export function readProfile(profile: DialectProfile = {}): GenerateProfile {
  const thinking = textOf(profile["thinking"]);
  return {
    thinking: thinking === "level" || thinking === "none" ? thinking : "budget",
    minBudget: numberOf(profile["minBudget"]) ?? 0,
    maxBudget: numberOf(profile["maxBudget"]) ?? 32_768,
    mayReasonNot: flagOf(profile["mayReasonNot"]) ?? true,
    levels: profile["levels"] === undefined
      ? ["minimal", "low", "medium", "high"]
      : listOf(profile["levels"]).filter((level) => typeof level === "string"),
    signaturePlaceholder: textOf(profile["signaturePlaceholder"]),
    mediaInResults: flagOf(profile["mediaInResults"]) ?? false,
    penalties: flagOf(profile["penalties"]) ?? true,
    jsonSchema: flagOf(profile["jsonSchema"]) ?? false,
  };
}
