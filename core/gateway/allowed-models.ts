import { matchesWildcard } from "../kit/index.ts";

/** Whether a list of allowed models (entries may hold `*` and `?`) lets a model pass; an empty list allows all. */
export function mayUseModel(allowed: readonly string[], model: string): boolean {
  return allowed.length === 0 || allowed.some((pattern) => matchesWildcard(pattern, model));
}
