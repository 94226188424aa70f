/** A step from one document to another, as a JSON patch tells it. */
export interface Step {
  readonly op: "add" | "remove" | "replace";
  readonly path: string;
  readonly value?: unknown;
}

/** What has to be done to turn one document into another; members of lists are compared by position. */
export function differences(before: unknown, after: unknown, path = ""): Step[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (
    !isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)
  ) {
    return [{ op: "replace", path: path || "/", value: after }];
  }
  const from = before as Record<string, unknown>;
  const to = after as Record<string, unknown>;
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((name): Step[] => {
    const at = `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (!Object.hasOwn(to, name)) return [{ op: "remove", path: at }];
    if (!Object.hasOwn(from, name)) return [{ op: "add", path: at, value: to[name] }];
    return differences(from[name], to[name], at);
  });
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
