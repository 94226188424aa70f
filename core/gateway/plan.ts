import { GatewayError } from "../contract/index.ts";
import type { RoutingDecision } from "../routing/index.ts";
import type { SlotView } from "../store/snapshot.ts";
import type { Envelope } from "./envelope.ts";
import type { Target } from "./resolve.ts";

/** One slot to try, with its part in the request. */
export interface PlannedLeg {
  readonly kind: "primary" | "secondary" | "route" | "fallback";
  readonly slot: SlotView;
}

/**
 * Orders the legs: the pinned secondary, the routed model or the primary first, then the fallbacks in the order they
 * are listed.
 *
 * Throws `COMPLETION_SECONDARY_MODEL_NOT_FOUND` for an index out of range.
 */
export function plan(
  target: Target,
  envelope: Envelope,
  decision?: RoutingDecision,
): PlannedLeg[] {
  if (target.kind === "ad-hoc") return [{ kind: "primary", slot: target.slot }];
  const { resource } = target;
  const fallbacks = resource.useFallback === false ? [] : resource.fallbackModels;
  return [
    head(target, envelope, decision?.selected?.target),
    ...fallbacks.map((slot): PlannedLeg => ({ kind: "fallback", slot })),
  ];
}

function head(
  target: Extract<Target, { kind: "resource" }>,
  envelope: Envelope,
  routed: SlotView | null | undefined,
): PlannedLeg {
  const { resource } = target;
  const index = envelope.secondaryModelIndex;
  if (index === undefined) {
    return routed ? { kind: "route", slot: routed } : { kind: "primary", slot: resource.model };
  }
  const slot = resource.secondaryModels[index];
  if (!slot) {
    throw new GatewayError(
      "COMPLETION_SECONDARY_MODEL_NOT_FOUND",
      `Resource "${resource.name}" has ${resource.secondaryModels.length} secondary models; index ${index} is out of range`,
      { param: "vmx.secondaryModelIndex" },
    );
  }
  return { kind: "secondary", slot };
}
