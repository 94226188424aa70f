import type { LiveCapacity, LiveMeter } from "@vmx/sdk";

/** Meters of one subject, such as a connection. */
export interface Subject {
  readonly level: LiveMeter["level"];
  readonly id: string;
  readonly name: string;
  readonly meters: readonly LiveMeter[];
}

/** What tells a meter from all others. */
export function meterKey(
  { level, subjectId, period, dimension, dimensionValue }: LiveMeter,
): string {
  return JSON.stringify([level, subjectId, period, dimension, dimensionValue]);
}

/** The state after a change: a stream tells only the meters that have moved. */
export function withChanges(known: LiveCapacity, changes: LiveCapacity): LiveCapacity {
  const meters = new Map(known.data.map((meter) => [meterKey(meter), meter]));
  for (const meter of changes.data) meters.set(meterKey(meter), meter);
  return { ...changes, data: [...meters.values()] };
}

const levels: readonly LiveMeter["level"][] = ["connection", "resource", "api-key", "batch"];
const periods: readonly LiveMeter["period"][] = [
  "minute",
  "hour",
  "day",
  "week",
  "month",
  "lifetime",
];

/** Meters by subject, in the order of levels, names and periods. */
export function bySubject(meters: readonly LiveMeter[]): Subject[] {
  const subjects = new Map<string, { subject: Omit<Subject, "meters">; meters: LiveMeter[] }>();
  for (const meter of meters) {
    const { level, subjectId: id, subjectName: name } = meter;
    const known = subjects.get(level + id);
    if (known) known.meters.push(meter);
    else subjects.set(level + id, { subject: { level, id, name }, meters: [meter] });
  }
  return [...subjects.values()]
    .map(({ subject, meters }) => ({ ...subject, meters: meters.sort(byPeriod) }))
    .sort((a, b) =>
      levels.indexOf(a.level) - levels.indexOf(b.level) || a.name.localeCompare(b.name)
    );
}

function byPeriod(a: LiveMeter, b: LiveMeter): number {
  return periods.indexOf(a.period) - periods.indexOf(b.period) ||
    (a.dimension ?? "").localeCompare(b.dimension ?? "") ||
    Math.max(b.requests.used, b.tokens.used) - Math.max(a.requests.used, a.tokens.used);
}

/**
 * How a meter stands at a moment: a window that has ended is empty again, also before the gateway says so.
 *
 * @param now milliseconds since 1970
 */
export function atMoment(meter: LiveMeter, now: number): LiveMeter {
  if (meter.resetAt === null || Date.parse(meter.resetAt) > now) return meter;
  const empty = (axis: LiveMeter["requests"]) => ({
    ...axis,
    used: axis.reserved,
    remaining: axis.limit === null ? null : Math.max(0, axis.limit - axis.reserved),
  });
  return {
    ...meter,
    requests: empty(meter.requests),
    tokens: empty(meter.tokens),
    deniedInWindow: 0,
  };
}

/** The share of the fuller axis, from 0 to 1 and above; 0 without a limit. */
export function fullness({ requests, tokens }: LiveMeter): number {
  return Math.max(...[requests, tokens].map(({ used, limit }) => limit ? used / limit : 0));
}

/**
 * When an axis will be full if use goes on as it has since the window began.
 *
 * @returns milliseconds from now; undefined when it will not be before the window ends, or nobody can tell
 */
export function fullInMs(
  { windowStart, resetAt }: Pick<LiveMeter, "windowStart" | "resetAt">,
  { used, limit }: LiveMeter["requests"],
  now: number,
): number | undefined {
  if (!limit || used === 0 || used >= limit || windowStart === null || resetAt === null) {
    return undefined;
  }
  const elapsedMs = now - Date.parse(windowStart);
  if (elapsedMs <= 0) return undefined;
  const leftMs = (limit - used) * elapsedMs / used;
  return now + leftMs < Date.parse(resetAt) ? leftMs : undefined;
}
