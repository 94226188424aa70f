import type { PolicyView } from "../store/snapshot.ts";

/** What the reference model says of a policy. */
export type ReferenceVerdict = "allow" | "deny" | "none";

/**
 * The meaning of a policy, spelled out apart from the engine that is tested against it: patterns by recursion over
 * their characters, statements one by one, resources completed from the left by a list of its own.
 *
 * @param spellings the resource in every spelling, by names and by ids
 */
export function judgeByReference(
  policy: PolicyView,
  action: string,
  spellings: readonly string[],
): ReferenceVerdict {
  let verdict: ReferenceVerdict = "none";
  for (const { effect, actions, resources } of policy.statements) {
    const matches = actions.some((pattern) => matchesText([...pattern], [...action])) &&
      resources.some((pattern) =>
        spellings.some((spelling) =>
          matchesText([...complete(pattern.toLowerCase())], [...spelling.toLowerCase()])
        )
      );
    if (!matches) continue;
    if (effect === "deny") return "deny";
    verdict = "allow";
  }
  return verdict;
}

const inEnvironment = [
  "ai-connection",
  "ai-resource",
  "api-key",
  "pool-definition",
  "capacity",
  "completion",
  "completion-batch",
  "audit",
  "usage",
  "config",
];

function complete(pattern: string): string {
  const first = pattern.split(":")[0]!;
  if (inEnvironment.includes(first)) return `workspace:*:environment:*:${pattern}`;
  if (first === "environment") return `workspace:*:${pattern}`;
  return pattern;
}

function matchesText(pattern: readonly string[], text: readonly string[]): boolean {
  // Row by row: whether the pattern so far matches the first n characters.
  let row = Array.from({ length: text.length + 1 }, (_, index) => index === 0);
  for (const symbol of pattern) {
    const next: boolean[] = [];
    for (let at = 0; at <= text.length; at++) {
      next[at] = symbol === "*"
        ? row[at]! || (at > 0 && next[at - 1]!)
        : at > 0 && row[at - 1]! && (symbol === "?" || symbol === text[at - 1]);
    }
    row = next;
  }
  return row[text.length]!;
}
