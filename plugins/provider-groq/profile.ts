import type { DialectProfile } from "@vmx/core/contract";
import { effortFor, efforts, traitsOf } from "./model-traits.ts";

/** Members the service answers with 400 ("OpenAI Compatibility", unsupported features). */
export const refusedMembers = ["logit_bias", "logprobs", "top_logprobs"] as const;

/** How the service takes a dialect; the members are those of `ChatProfile` and `ResponsesProfile`. */
export function profileOf(model: string, dialect: string): DialectProfile {
  if (dialect !== "openai-chat") {
    return { userField: "user", encryptedReasoning: false, strip: [...refusedMembers] };
  }
  return {
    userField: "user",
    reasoningField: "reasoning",
    singleAnswer: true,
    // Other services' tiers mean nothing here, and metadata is not supported.
    strip: [...refusedMembers, "service_tier", "metadata"],
    stripMessage: ["name"],
    efforts: Object.fromEntries(
      efforts.map((effort) => [effort, effortFor(model, effort)]),
    ),
    members: traitsOf(model).tagsReasoning ? { reasoning_format: "parsed" } : undefined,
  };
}
