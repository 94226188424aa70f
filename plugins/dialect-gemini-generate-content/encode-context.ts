import type { SettingPaths, Warning } from "@vmx/core/contract";
import type { NameAlphabet, ToolNames } from "@vmx/core/kit";
import type { GenerateProfile } from "./profile.ts";

/** What the encoder of a request carries along. */
export interface EncodeContext {
  readonly profile: GenerateProfile;
  /** The family reasoning signatures may go to. */
  readonly family: string;
  readonly names: ToolNames;
  /** Where the caller wrote a setting, as a JSON pointer into his body. */
  at(setting: keyof SettingPaths): string;
  warn(code: string, path: string, action: Warning["action"], detail?: string): void;
}

/** What the service takes as the name of a function (Gemini API, `FunctionDeclaration`). */
export const nameAlphabet: NameAlphabet = {
  forbidden: /[^A-Za-z0-9_.:-]/g,
  maxLength: 64,
  badStart: /^[^A-Za-z_]/,
};
