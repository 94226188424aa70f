import type { ConnectionCircuit, ErrorRate, RouteTestResult } from "@vmx/schemas";
import { errorRateOf, type SampleSubject } from "../routing/index.ts";
import { dryRun, type DryRunRequest, type GatesOf } from "./dry-run.ts";
import { legGates } from "./leg-gates.ts";
import type { GatewayServices } from "./exchange.ts";

/** What the management plane asks the data plane of its own process. */
export interface GatewayView {
  /** Models of a connection that keep failing. */
  circuits(connectionId: string): Record<string, ConnectionCircuit>;
  /**
   * How often the legs of a subject failed.
   *
   * @param windowMinutes 1 to 180, the present minute included
   * @param statusCode the only status that counts as failed; `any` stands for 400 and above
   */
  errorRate(subject: SampleSubject, windowMinutes: number, statusCode: number | "any"): ErrorRate;
  /** See `dryRun`. */
  dryRun(request: DryRunRequest): Promise<RouteTestResult>;
}

/**
 * Creates the view of a data plane.
 *
 * @param services asked at each call, as the planes are put together one after the other
 */
export function createGatewayView(
  services: () => GatewayServices,
  gatesOf: GatesOf = legGates,
): GatewayView {
  return {
    circuits(connectionId) {
      const open = Object.entries(services().circuits.view(connectionId));
      return Object.fromEntries(open.map(([model, { state, since, until }]) => [model, {
        state,
        since: new Date(since).toISOString(),
        until: new Date(until).toISOString(),
      }]));
    },
    errorRate(subject, windowMinutes, statusCode) {
      const counts = services().samples.counts(subject, windowMinutes, statusCode);
      return {
        errorRate: errorRateOf(counts),
        totalSuccess: counts.succeeded,
        totalFailed: counts.failed,
        totalRequests: counts.succeeded + counts.failed,
      };
    },
    dryRun: (request) => dryRun(request, services(), gatesOf),
  };
}
