import type { AuditDetail } from "@vmx/sdk";

/** Members payloads are kept in. */
export type PayloadMember =
  | "requestBody"
  | "mergedBody"
  | "providerRequestBody"
  | "responseBody"
  | "responseHeaders";

/** What is kept of a payload member, and in words what is not. */
export interface PayloadView {
  readonly value: unknown;
  /** A heading and a sentence for what is missing; undefined when there is something to see. */
  readonly missing?: { readonly title: string; readonly text: string };
  /** Says that not everything is there. */
  readonly note?: string;
}

/**
 * Tells why a payload member is not there, or not whole.
 *
 * @param mayRead whether the viewer has the right to read payloads
 */
export function payloadView(
  request: Pick<AuditDetail, "payloadState"> & Partial<Record<PayloadMember, unknown>>,
  member: PayloadMember,
  mayRead: boolean,
): PayloadView {
  const value = request[member];
  const state = request.payloadState?.[member] as string | undefined;
  if (value !== undefined && value !== null) {
    const [, kept, total] = /^truncated \((\d+)\/(\d+) bytes\)$/.exec(state ?? "") ?? [];
    if (kept === undefined) return { value };
    return { value, note: `Cut off: ${kept} of ${total} bytes were kept.` };
  }
  const missing = (title: string, text: string): PayloadView => ({
    value: undefined,
    missing: { title, text },
  });
  if (!mayRead) {
    return missing("You may not read payloads", "This takes the right audit:read-payload.");
  }
  if (state === "off by policy") {
    return missing(
      "Not stored, by policy",
      "The environment's setting “payload capture” leaves this out; it holds for new requests once changed.",
    );
  }
  if (state === "expired") {
    return missing("No longer kept", "It was deleted when the environment's retention had passed.");
  }
  if (state?.startsWith("not captured: ")) {
    return missing("Never captured", sentence(state.slice("not captured: ".length)));
  }
  if (state === "stored") {
    return missing("Not to be found", "It was stored but could not be read back.");
  }
  return missing("Nothing was kept", "The request left no payload, or ended before there was one.");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
