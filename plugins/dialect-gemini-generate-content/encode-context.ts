import type { Call, Warning } from "@vmx/core/contract";
import type { NameAlphabet, ToolNames } from "@vmx/core/kit";
import type { GenerateProfile } from "./profile.ts";
import { dialectId, pointer } from "./read-json.ts";

/** What the encoder of a request carries along. */
export interface EncodeContext {
  readonly profile: GenerateProfile;
  /** The family reasoning signatures may go to. */
  readonly family: string;
  readonly names: ToolNames;
  readonly paths: CallerPaths;
  warn(code: string, path: string, action: Warning["action"], detail?: string): void;
}

/** Where the caller wrote what a warning is about, as JSON pointers into his body. */
export interface CallerPaths {
  readonly effort: string;
  readonly outputSchema: string;
  readonly parallel: string;
  readonly user: string;
  message(at: number): string;
  tool(at: number): string;
  toolSchema(at: number): string;
}

/** What the service takes as the name of a function (Gemini API, `FunctionDeclaration`). */
export const nameAlphabet: NameAlphabet = {
  forbidden: /[^A-Za-z0-9_.:-]/g,
  maxLength: 64,
  badStart: /^[^A-Za-z_]/,
};

interface Spelling {
  readonly effort: string;
  readonly outputSchema: string;
  readonly parallel: string;
  readonly user: string;
  readonly messages: string;
  readonly schema: string;
}

const spellings: Readonly<Record<string, Spelling>> = {
  "openai-chat": {
    effort: "/reasoning_effort",
    outputSchema: "/response_format/json_schema/schema",
    parallel: "/parallel_tool_calls",
    user: "/user",
    messages: "/messages",
    schema: "/function/parameters",
  },
  "openai-responses": {
    effort: "/reasoning",
    outputSchema: "/text/format/schema",
    parallel: "/parallel_tool_calls",
    user: "/user",
    messages: "/input",
    schema: "/parameters",
  },
  "anthropic-messages": {
    effort: "/thinking",
    outputSchema: "/output_config/format/schema",
    parallel: "/tool_choice/disable_parallel_tool_use",
    user: "/metadata/user_id",
    messages: "/messages",
    schema: "/input_schema",
  },
  [dialectId]: {
    effort: "/generationConfig/thinkingConfig",
    outputSchema: "/generationConfig/responseSchema",
    parallel: "",
    user: "",
    messages: "/contents",
    schema: "/parameters",
  },
};

/** The pointers of a call's own dialect; a dialect that is not known is taken for the most used one. */
export function callerPaths(call: Call): CallerPaths {
  const own = spellings[call.dialect ?? ""] ?? spellings["openai-chat"]!;
  const tool = (at: number): string => pointer("tools", at);
  return {
    ...own,
    message: (at) => own.messages + pointer(at),
    tool,
    toolSchema: (at) => tool(at) + own.schema,
  };
}
