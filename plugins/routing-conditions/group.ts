import type { Json, JsonObject } from "@vmx/core/contract";
import { compileCondition, type Condition } from "./condition.ts";

/** A compiled group. */
export interface Group {
  readonly type: "group";
  readonly operator: "AND" | "OR";
  readonly members: readonly (Group | Condition)[];
}

/**
 * Compiles a group without its disabled members; undefined when that leaves nothing of what it had.
 *
 * Throws a `RuleFault`.
 */
export function compileGroup(group: JsonObject, path = "", pointer = ""): Group | undefined {
  const stored = group["conditions"];
  const all: readonly Json[] = Array.isArray(stored) ? stored : [];
  const members = all.flatMap((member, index) => {
    const compiled = compileMember(
      member as JsonObject,
      path === "" ? String(index) : `${path}.${index}`,
      `${pointer}/conditions/${index}`,
    );
    return compiled ? [compiled] : [];
  });
  if (members.length === 0 && all.length > 0) return undefined;
  return { type: "group", operator: group["operator"] === "OR" ? "OR" : "AND", members };
}

/** Disabled members are compiled too: switching one on later must not be what finds its fault. */
function compileMember(
  member: JsonObject,
  path: string,
  pointer: string,
): Group | Condition | undefined {
  const compiled = member["type"] === "group"
    ? compileGroup(member, path, pointer)
    : compileCondition(member, path, pointer);
  return member["enabled"] === false ? undefined : compiled;
}
