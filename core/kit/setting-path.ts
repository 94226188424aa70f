import type { Call, SettingPaths } from "../contract/call.ts";

/** Pointers for calls whose decoder noted none, in the words most dialects share. */
const usual: Required<SettingPaths> = {
  temperature: "/temperature",
  topP: "/top_p",
  topK: "/top_k",
  frequencyPenalty: "/frequency_penalty",
  presencePenalty: "/presence_penalty",
  seed: "/seed",
  logitBias: "/logit_bias",
  logprobs: "/logprobs",
  topLogprobs: "/top_logprobs",
  n: "/n",
  stop: "/stop",
  maxOutputTokens: "/max_tokens",
  reasoning: "/reasoning_effort",
  reasoningSummary: "/reasoning/summary",
  output: "/response_format",
  outputSchema: "/response_format/json_schema/schema",
  tools: "/tools",
  toolChoice: "/tool_choice",
  parallelToolCalls: "/parallel_tool_calls",
  user: "/user",
  serviceTier: "/service_tier",
  metadata: "/metadata",
};

/** Where a setting stands in the caller's body, as a JSON pointer for warnings about it. */
export function settingPath({ paths }: Pick<Call, "paths">, setting: keyof SettingPaths): string {
  return paths?.[setting] ?? usual[setting];
}

/**
 * Where the caller wrote what stands in a member of the body that is sent; undefined for a member the gateway added
 * by itself, which is no loss of the caller's.
 *
 * @param members the members of the body that is sent, as `settingPaths` takes them
 */
export function callersPath(
  { paths, extras }: Pick<Call, "paths" | "extras">,
  member: string,
  members: SettingMembers,
): string | undefined {
  if (paths === undefined || Object.hasOwn(extras, member)) return `/${member}`;
  const settings = Object.keys(members) as (keyof SettingPaths)[];
  const held = settings.find((setting) =>
    paths[setting] !== undefined &&
    members[setting]!.some((each) => each === member || each.startsWith(`${member}/`))
  );
  return held && paths[held];
}

/** The members of a body each setting stands in, first choice first; names inside objects are joined by `/`. */
export type SettingMembers = Readonly<Partial<Record<keyof SettingPaths, readonly string[]>>>;

/** Pointers to the settings a caller's body holds. */
export function settingPaths(
  body: Readonly<Record<string, unknown>>,
  members: SettingMembers,
): SettingPaths {
  const found = Object.entries(members).flatMap(([setting, candidates]) => {
    const member = candidates.find((each) => valueAt(body, each) !== undefined);
    return member === undefined ? [] : [[setting, `/${member}`]];
  });
  return Object.fromEntries(found);
}

function valueAt(body: unknown, member: string): unknown {
  let found = body;
  for (const name of member.split("/")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found ?? undefined;
}
