type Value = Readonly<Record<string, unknown>>;

/**
 * The merge patch (RFC 7396) that turns one object into another: only what differs, null for what is gone.
 *
 * A member whose value is to be null cannot be told apart from one that is gone.
 */
export function mergePatchBetween(before: Value | null, after: Value | null): Value | null {
  if (before === null || after === null) return after;
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) patch[name] = null;
  for (const [name, next] of Object.entries(after)) {
    const previous = Object.hasOwn(before, name) ? before[name] : undefined;
    if (JSON.stringify(previous) === JSON.stringify(next)) continue;
    patch[name] = isObject(previous) && isObject(next) ? mergePatchBetween(previous, next) : next;
  }
  return patch;
}

function isObject(value: unknown): value is Value {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
