/** Labels of one combination. The same combination is always the same object. */
export interface LabelSet {
  readonly labels: Readonly<Record<string, string>>;
}

/** Combinations of labels, so many and no more. */
export interface LabelSets {
  /** The combination of these values; one in which every label is `other` once there are too many. */
  of(...values: readonly string[]): LabelSet;
}

/** What stands for everything beyond the bound. */
export const other = "other";

const maxValueLength = 128;

/**
 * Creates the combinations of these label names.
 *
 * @param most combinations kept (operations.md §4)
 */
export function createLabelSets(names: readonly string[], most = 1_000): LabelSets {
  const known = new Map<string, LabelSet>();
  const overflow: LabelSet = { labels: toLabels(names, names.map(() => other)) };
  return {
    of(...values) {
      const key = values.join("\0");
      const found = known.get(key);
      if (found) return found;
      if (known.size >= most) return overflow;
      const set = { labels: toLabels(names, values) };
      known.set(key, set);
      return set;
    },
  };
}

/** Labels with an empty value are left out. */
export function toLabels(
  names: readonly string[],
  values: readonly string[],
): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value) labels[name] = value.slice(0, maxValueLength);
  }
  return labels;
}
