import type { ContributionPoint } from "../contract/index.ts";
import type { PluginHost } from "./plugin-host.ts";

/**
 * The contribution to use where only one can be: the one the operator named, else the first whose manifest names a
 * variable that is set (`selectedBy`), else the default.
 */
export function selectContribution(
  host: Pick<PluginHost, "contributions">,
  point: ContributionPoint,
  environment: Readonly<Record<string, string | undefined>>,
  choice: { readonly named?: string | undefined; readonly otherwise: string },
): string {
  if (choice.named) return choice.named;
  const selected = host.contributions(point).find(({ entry }) =>
    Array.isArray(entry.selectedBy) && entry.selectedBy.some((name) => environment[name])
  );
  return selected?.id ?? choice.otherwise;
}
