import type { Environment } from "./setting-reader.ts";

/**
 * A sentence for each `VMX_*` variable that neither core nor a plugin knows, with the name that was probably meant.
 *
 * @param known names core and the plugins' manifests read
 */
export function unknownVariables(environment: Environment, known: readonly string[]): string[] {
  // The command-line client reads these from the same shell.
  const names = new Set([...known, "VMX_BASE_URL", "VMX_TOKEN"]);
  return Object.keys(environment)
    .filter((name) => name.startsWith("VMX_") && !names.has(name))
    .sort()
    .map((name) => {
      const meant = nearest(name, names);
      return `${name} is not a setting of this gateway` +
        (meant === undefined ? "" : `; did you mean ${meant}?`);
    });
}

function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 5)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance: insertions, deletions and replacements between two words. */
function editDistance(one: string, two: string): number {
  let row = Array.from({ length: two.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= two.length; j++) {
      const replaced = row[j - 1]! + (one[i - 1] === two[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced));
    }
    row = next;
  }
  return row[two.length]!;
}
