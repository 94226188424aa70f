import { GatewayError } from "../contract/errors.ts";
import { covers, overlaps } from "./pattern.ts";
import type { CompiledPolicy, CompiledStatement } from "./policy.ts";

/** A right: an action pattern on a resource pattern. */
export interface Pair {
  readonly action: string;
  readonly resource: string;
}

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
  if (missing.length > 0) throw escalation(missing);
}

/** The refusal that names the rights the actor lacks. */
export function escalation(missing: readonly Pair[]): GatewayError {
  return new GatewayError(
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
): readonly Pair[] {
  const wanted = pairs(granted, "allow");
  const held = statementsOf(actor, "allow");
  const heldDenies = pairs(actor, "deny");
  const grantedDenies = pairs(granted, "deny");
  // What cannot be shown to be covered is refused; showing it must not take minutes.
  if (wanted.length * (held.length + heldDenies.length) > mostComparisons) return wanted;
  const compare = createComparison();
  return wanted.filter((pair) =>
    !held.some((own) =>
      own.actions.some((action) => compare.covers(action, pair.action)) &&
      own.resources.some((resource) => compare.covers(resource, pair.resource))
    ) ||
    heldDenies.some((deny) =>
      compare.overlaps(deny.action, pair.action) &&
      compare.overlaps(deny.resource, pair.resource) &&
      !grantedDenies.some((kept) =>
        compare.covers(kept.action, deny.action) && compare.covers(kept.resource, deny.resource)
      )
    )
  );
}

/**
 * What becomes possible when DENY statements go: each pair of theirs that `after` does not deny any more, as an
 * ALLOW. Taking a DENY away is granting.
 */
export function liftedDenies(
  before: readonly CompiledPolicy[],
  after: readonly CompiledPolicy[] = [],
): readonly Pair[] {
  const kept = pairs(after, "deny");
  const compare = createComparison();
  return pairs(before, "deny").filter((deny) =>
    !kept.some((other) =>
      compare.covers(other.action, deny.action) && compare.covers(other.resource, deny.resource)
    )
  );
}

const mostComparisons = 1_000_000;
/** Cells of the tables that laying patterns over each other may fill, about a second's work. */
const mostCells = 100_000_000;

/** Compares patterns, each two of them once; gives up with the answer that refuses when there are too many. */
function createComparison() {
  const known = new Map<string, boolean>();
  let cells = 0;
  const remembered = (
    kind: string,
    one: string,
    other: string,
    compare: (one: string, other: string) => boolean,
    whenTired: boolean,
  ): boolean => {
    const key = `${kind}\n${one}\n${other}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    cells += (one.length + 1) * (other.length + 1);
    const answer = cells > mostCells ? whenTired : compare(one, other);
    known.set(key, answer);
    return answer;
  };
  return {
    covers: (wide: string, narrow: string) =>
      wide === "*" || remembered("covers", wide, narrow, covers, false),
    overlaps: (one: string, other: string) => remembered("overlaps", one, other, overlaps, true),
  };
}

function statementsOf(
  policies: readonly CompiledPolicy[],
  effect: "allow" | "deny",
): CompiledStatement[] {
  return policies.flatMap(({ statements }) =>
    statements.filter((statement) => statement.effect === effect)
  );
}

function pairs(policies: readonly CompiledPolicy[], effect: "allow" | "deny"): Pair[] {
  return statementsOf(policies, effect).flatMap((statement) =>
    statement.actions.flatMap((action) =>
      statement.resources.map((resource) => ({ action, resource }))
    )
  );
}
