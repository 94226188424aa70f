import type { LiveCapacity, System, UsageAnswer } from "@vmx/sdk";
import type { Scope } from "#lib/api/scope.ts";
import { fullness } from "#lib/capacity/meters.ts";
import { formatPercent } from "#lib/format/format.ts";
import { degradedModes } from "#lib/parts/degraded-modes.ts";
import { measures } from "#lib/usage/measures.ts";

/** Something somebody should look at. */
export interface Point {
  readonly kind: "warn" | "bad";
  readonly mark: string;
  readonly text: string;
  readonly href: string;
}

/** What the gateway tells of itself; undefined is what the viewer may not see. */
export interface Signals {
  readonly capacity: LiveCapacity | undefined;
  /** Legs and requests of the last hour, with those of the hour before. */
  readonly lastHour: UsageAnswer | undefined;
  readonly system: System | undefined;
}

/** Requests an hour has to have before its rate says something. */
const fewestRequests = 20;
/** Points of a percentage a rate has to rise by. */
const risePoints = 5;
/** The measure that tells how many requests fell back. */
export const fallbackRate = measures.find(({ id }) => id === "fallbacks")!;

/** What of the signals needs attention, the most urgent first. */
export function pointsOf({ capacity, lastHour, system }: Signals, scope: Scope): Point[] {
  const modes = system?.degraded ?? [];
  return [
    ...modes.map((mode): Point => ({
      kind: "bad",
      mark: "Degraded",
      text: degradedModes[mode] ?? mode,
      href: "/system",
    })),
    ...(capacity?.data ?? []).filter((meter) => fullness(meter) >= 0.8).map((meter): Point => {
      const name = `${meter.subjectName}${
        meter.dimensionValue ? ` (${meter.dimensionValue})` : ""
      }`;
      return {
        kind: fullness(meter) >= 1 ? "bad" : "warn",
        mark: fullness(meter) >= 1 ? "Limit reached" : "Limit near",
        text: `${name}: ${formatPercent(100 * fullness(meter))} of its ${meter.period} is used`,
        href: `${scope.link("capacity")}?${new URLSearchParams({ q: meter.subjectName })}`,
      };
    }),
    ...risenFallbacks(lastHour, scope),
  ];
}

function risenFallbacks(answer: UsageAnswer | undefined, scope: Scope): Point[] {
  const [now, before] = [answer?.data[0], answer?.previous?.data[0]];
  const isFew = (row: Record<string, unknown> | undefined) =>
    Number(row?.["requestCount"] ?? 0) < fewestRequests;
  if (!now || !before || isFew(now) || isFew(before)) return [];
  const [rate, earlier] = [fallbackRate.value(now), fallbackRate.value(before)];
  if (rate === null || earlier === null || rate < earlier + risePoints) return [];
  return [{
    kind: "warn",
    mark: "More fallbacks",
    text: `${formatPercent(rate)} of the last hour's requests fell back, ${
      formatPercent(earlier)
    } in the hour before`,
    href: `${scope.link("audit")}?range=1h&fallback=yes`,
  }];
}
