import type { ContributionPoint, ContributionPoints } from "../contract/index.ts";
import { StartError } from "../start-error.ts";
import type { PluginHost } from "./plugin-host.ts";
import { points } from "./points.ts";

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

/**
 * The implementation of a contribution without which the gateway cannot run, such as the encryption backend.
 * Rejects with a StartError that tells why it does not work.
 */
export async function requireContribution<Point extends ContributionPoint>(
  host: Pick<PluginHost, "get" | "find" | "plugins">,
  point: Point,
  id: string,
): Promise<ContributionPoints[Point]> {
  try {
    return await host.get(point, id);
  } catch (cause) {
    // A plugin whose manifest is broken announces nothing: it may be the one that is missed.
    const broken = host.find(point, id)
      ? []
      : host.plugins().flatMap(({ outcome }) =>
        outcome.state === "failed" && outcome.stage === "manifest" ? outcome.error : []
      );
    const hint = broken.length === 0 ? "" : ` (${broken.join("; ")})`;
    throw new StartError(`Cannot start: ${(cause as Error).message}${hint}`, { cause });
  }
}

/**
 * Makes sure that several processes see the same meters and the same state. Rejects with a StartError that names the
 * variables which choose such a contribution.
 */
export async function requireShared(
  host: Pick<PluginHost, "get" | "find" | "plugins" | "contributions">,
  chosen: Readonly<Record<"capacityStores" | "sharedStates", string>>,
  processes: number,
): Promise<void> {
  for (const point of ["capacityStores", "sharedStates"] as const) {
    const id = chosen[point];
    if ((await requireContribution(host, point, id)).shared) continue;
    const variables = new Set(
      host.contributions(point).flatMap(({ entry }) => entry.selectedBy as string[] ?? []),
    );
    throw new StartError(
      `Cannot start ${processes} processes: the ${
        points[point].label
      } "${id}" serves one process alone. ` +
        `Set ${[...variables, "VMX_PROCESSES=1"].join(" or ")}.`,
    );
  }
}
