import { nearest } from "./kit/nearest.ts";
import type { Environment } from "./setting-reader.ts";

/**
 * A sentence for each `VMX_*` variable that neither core nor a plugin knows, with the name that was probably meant.
 *
 * @param known names core and the plugins' manifests read
 */
export function unknownVariables(environment: Environment, known: readonly string[]): string[] {
  // The command-line client reads these from the same shell, and applications their key.
  const client = ["BASE_URL", "TOKEN", "WORKSPACE", "ENVIRONMENT", "CONTEXT", "API_KEY"];
  const names = new Set([...known, ...client.map((name) => `VMX_${name}`)]);
  return Object.keys(environment)
    .filter((name) => name.startsWith("VMX_") && !names.has(name))
    .sort()
    .map((name) => {
      const meant = nearest(name, names);
      return `${name} is not a setting of this gateway` +
        (meant === undefined ? "" : `; did you mean ${meant}?`);
    });
}
