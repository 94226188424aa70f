import type { FinishReason, Json } from "@vmx/core/contract";

const canonical: Readonly<Record<string, FinishReason>> = {
  STOP: "end",
  // Of emulators and services that imitate this one; the service itself says STOP.
  FUNCTION_CALL: "end",
  MAX_TOKENS: "length",
  SAFETY: "content-filter",
  RECITATION: "content-filter",
  BLOCKLIST: "content-filter",
  PROHIBITED_CONTENT: "content-filter",
  SPII: "content-filter",
  LANGUAGE: "content-filter",
  IMAGE_SAFETY: "content-filter",
  MALFORMED_FUNCTION_CALL: "malformed-tool",
  OTHER: "malformed-output",
};

/** The reasons by their numbers, which some clients ask for (`google.ai.generativelanguage.v1beta.Candidate`). */
const numbered: readonly string[] = [
  "FINISH_REASON_UNSPECIFIED",
  "STOP",
  "MAX_TOKENS",
  "SAFETY",
  "RECITATION",
  "OTHER",
  "LANGUAGE",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "MALFORMED_FUNCTION_CALL",
  "IMAGE_SAFETY",
];

const spelled: Readonly<Record<FinishReason, string>> = {
  "end": "STOP",
  "stop-sequence": "STOP",
  "length": "MAX_TOKENS",
  "context-exceeded": "MAX_TOKENS",
  "tool-use": "STOP",
  "content-filter": "SAFETY",
  "refusal": "STOP",
  "pause": "STOP",
  "malformed-tool": "MALFORMED_FUNCTION_CALL",
  "malformed-output": "OTHER",
};

/** Reasons whose spelling tells less than they do. */
const approximated: ReadonlySet<FinishReason> = new Set(["context-exceeded", "refusal", "pause"]);

/** The name of a `finishReason`, whether it came as a name or as a number. */
export function reasonName(value: Json | undefined): string | undefined {
  if (typeof value === "number") return numbered[value] ?? String(value);
  return typeof value === "string" ? value : undefined;
}

/** Reads a `finishReason`. A model that calls functions ends with STOP (providers-and-dialects.md §3.2). */
export function readFinishReason(
  raw: string | undefined,
  calls: boolean,
): { readonly reason: FinishReason; readonly known: boolean } {
  const reason = raw !== undefined && Object.hasOwn(canonical, raw) ? canonical[raw] : undefined;
  if (reason === undefined) return { reason: "end", known: false };
  return { reason: reason === "end" && calls ? "tool-use" : reason, known: true };
}

/** The dialect's word for a canonical reason. */
export function writeFinishReason(reason: FinishReason): string {
  return spelled[reason];
}

/** Whether the dialect's word tells less than the canonical reason. */
export function isApproximated(reason: FinishReason): boolean {
  return approximated.has(reason);
}
