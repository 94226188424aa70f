import type { Adaptation, AdaptRequest, JsonObject, Warning } from "@vmx/core/contract";
import type { CompatibleConfiguration } from "./configuration.ts";

/** Members without which there is no call. */
const needed = new Set(["model", "messages", "input", "stream"]);

/**
 * Takes out what the connection says the service refuses. A service without usage on streams is not asked for it,
 * which is a loss only when the caller asked.
 */
export function adaptBody(
  { body, dialect, operation }: AdaptRequest,
  { stripParameters = [], supportsStreamUsage = true }: CompatibleConfiguration,
): Adaptation | undefined {
  const remove = stripParameters.filter((name) => Object.hasOwn(body, name) && !needed.has(name));
  const warnings: Warning[] = remove.map((name) => dropped(`/${pointer(name)}`, name));
  const usageUnknown = !supportsStreamUsage && operation === "chat" && dialect === "openai-chat" &&
    body["stream"] === true;
  if (usageUnknown && !remove.includes("stream_options")) {
    // Also when the caller did not ask: it tells the gateway not to ask by itself.
    remove.push("stream_options");
    const asked = (body["stream_options"] as JsonObject | null | undefined)?.["include_usage"];
    if (asked === true) warnings.push(dropped("/stream_options/include_usage", "usage on streams"));
  }
  if (remove.length === 0) return undefined;
  return { remove, ...(warnings.length > 0 && { warnings }) };
}

function dropped(path: string, what: string): Warning {
  return {
    code: "parameter_dropped",
    path,
    action: "dropped",
    detail: `the connection does not support ${what}`,
  };
}

/** A member's name as a step of a JSON pointer. */
function pointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
