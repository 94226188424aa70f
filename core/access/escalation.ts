import { GatewayError } from "../contract/errors.ts";
import { covers, overlaps } from "./pattern.ts";
import type { CompiledPolicy } from "./policy.ts";

/**
 * Nobody grants what they do not hold: every ALLOW pair of what is granted must lie inside one ALLOW of the
 * actor, and each DENY of the actor that touches it must also be in it. What cannot be shown is refused.
 *
 * Throws `PRIVILEGE_ESCALATION` with the missing pairs.
 */
export function refuseEscalation(
  actor: readonly CompiledPolicy[],
  granted: readonly CompiledPolicy[],
): void {
  const missing = missingPairs(actor, granted);
  if (missing.length === 0) return;
  throw new GatewayError(
    "PRIVILEGE_ESCALATION",
    `Cannot grant ${
      missing.slice(0, 5).map(({ action, resource }) => `${action} on ${resource}`).join(", ")
    }: you do not hold it yourself`,
    { details: { missing: missing.slice(0, 100).map((pair) => ({ ...pair })) } },
  );
}

/** The pairs that are granted but not held. */
export function missingPairs(
  actor: readonly CompiledPolicy[],
  granted: readonly CompiledPolicy[],
): { readonly action: string; readonly resource: string }[] {
  const held = pairs(actor, "allow");
  const wanted = pairs(granted, "allow");
  const heldDenies = pairs(actor, "deny");
  const grantedDenies = pairs(granted, "deny");
  // What cannot be shown to be covered is refused; showing it must not take minutes.
  if (wanted.length * (held.length + heldDenies.length) > mostComparisons) return wanted;
  return wanted.filter((pair) =>
    !held.some((own) => covered(own, pair)) ||
    heldDenies.some((deny) =>
      overlaps(deny.action, pair.action) && overlaps(deny.resource, pair.resource) &&
      !grantedDenies.some((kept) => covered(kept, deny))
    )
  );
}

const mostComparisons = 1_000_000;

interface Pair {
  readonly action: string;
  readonly resource: string;
}

function pairs(policies: readonly CompiledPolicy[], effect: "allow" | "deny"): Pair[] {
  return policies.flatMap(({ statements }) =>
    statements.filter((statement) => statement.effect === effect).flatMap((statement) =>
      statement.actions.flatMap((action) =>
        statement.resources.map((resource) => ({ action, resource }))
      )
    )
  );
}

function covered(wide: Pair, narrow: Pair): boolean {
  return covers(wide.action, narrow.action) && covers(wide.resource, narrow.resource);
}
