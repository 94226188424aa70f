import type { DialectProfile } from "@vmx/core/contract";
import { flagOf, listOf, textOf } from "@vmx/dialect-openai-chat/read-json";

/** How a vendor spells this dialect; provider plugins hand it over as a `DialectProfile` of the same members. */
export interface ResponsesProfile {
  /** Where the end user goes: `safety_identifier` (default) or `user`. */
  readonly userField: string;
  /** False when `reasoning.encrypted_content` cannot be asked for; default true. */
  readonly encryptedReasoning: boolean;
  /** Members of the body that are refused: they are left out with a warning. */
  readonly strip: readonly string[];
}

/** Reads a profile and fills in the defaults. */
export function readProfile(profile: DialectProfile = {}): ResponsesProfile {
  return {
    userField: textOf(profile["userField"]) ?? "safety_identifier",
    encryptedReasoning: flagOf(profile["encryptedReasoning"]) ?? true,
    strip: listOf(profile["strip"]).filter((name) => typeof name === "string"),
  };
}
