/** Whether a pattern matches a whole text: `*` is any run of characters, `?` exactly one. */
export function matchesPattern(pattern: string, text: string): boolean {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "su").test(text);
}

/** A module of the catalogue, as far as patterns need it. */
export interface Module {
  readonly name: string;
  /** Such as `workspace:{workspace}:environment:{environment}:ai-resource`. */
  readonly baseResource: string;
}

/** A resource pattern as the gateway reads it: one that begins with a nested module is completed from the left. */
export function completePattern(pattern: string, modules: readonly Module[]): string {
  const first = pattern.split(":", 1)[0];
  const module = modules.find(({ name }) => name === first);
  if (!module) return pattern;
  const prefix = module.baseResource.slice(0, module.baseResource.length - module.name.length);
  return prefix.replace(/\{\w+\}/g, "*") + pattern;
}

/** Which of the resource strings a pattern matches; names are compared without regard to case. */
export function matchedBy(
  pattern: string,
  modules: readonly Module[],
  resources: readonly string[],
): readonly string[] {
  const complete = completePattern(pattern, modules).toLowerCase();
  return resources.filter((resource) => matchesPattern(complete, resource.toLowerCase()));
}

/** Whether actions are allowed and not denied by statements, whatever the resource. */
export function isGranted(
  action: string,
  statements: readonly {
    readonly effect: string;
    readonly actions: readonly string[];
    readonly resources: readonly string[];
  }[],
): boolean {
  const named = (effect: "allow" | "deny") =>
    statements.filter((each) =>
      each.effect === effect && each.actions.some((pattern) => matchesPattern(pattern, action))
    );
  const deniesAll = named("deny").some(({ resources }) => resources.includes("*"));
  return !deniesAll && named("allow").length > 0;
}
