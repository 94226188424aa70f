import type { MetricPoint } from "../contract/index.ts";
import type { GateMeter, GateRecord } from "../gateway/leg.ts";
import type { LabelSet } from "./label-sets.ts";

/** How much of limits is used, as requests have seen it; what nobody has asked of for its period is forgotten. */
export interface LimitUse {
  /** @param now Unix milliseconds */
  note(target: LabelSet, gate: GateRecord, now: number): void;
  points(now: number): Iterable<MetricPoint>;
}

const periodMs: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  month: 2_678_400_000,
};
/** No reader waits longer than this for a figure to go away. */
const longestMs = 3_600_000;
/** Limits remembered at most. */
const most = 1_000;

interface Seen {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
  until: number;
}

/** Creates an empty memory of how limits are used. */
export function createLimitUse(): LimitUse {
  const seen = new Map<string, Seen>();

  function noteAxis(
    target: LabelSet,
    { level, limit, period, used }: GateMeter,
    axis: "requests" | "tokens",
    now: number,
  ): void {
    const bound = limit[axis];
    if (bound === null || used === null) return;
    const value = bound === 0 ? 1 : used[axis] / bound;
    const labels = labelsOf(target, level);
    const key = [...Object.values(labels), level, period, axis].join("\0");
    const known = seen.get(key);
    // Keys and values of dimensions share a series, which tells of the fullest among them.
    if (known && now < known.until) {
      known.value = level === "connection" || level === "resource"
        ? value
        : Math.max(known.value, value);
      return;
    }
    if (!known && seen.size >= most) return;
    const until = now + Math.min(longestMs, periodMs[period] ?? longestMs);
    seen.set(key, { labels: { ...labels, level, period, axis }, value, until });
  }

  return {
    note(target, { meters }, now) {
      for (const meter of meters) {
        if (meter.dimension !== undefined) continue;
        noteAxis(target, meter, "requests", now);
        noteAxis(target, meter, "tokens", now);
      }
    },
    *points(now) {
      for (const [key, { labels, until, value }] of seen) {
        if (now >= until) seen.delete(key);
        else yield { labels, value };
      }
    },
  };
}

/** What a limit belongs to: one of a connection holds whichever resource is called, and the other way round. */
function labelsOf({ labels }: LabelSet, level: string): Record<string, string> {
  const { connection, environment, provider, resource, workspace } = labels;
  const named = {
    workspace,
    environment,
    ...(level === "connection" ? { connection, provider } : {}),
    ...(level === "resource" ? { resource } : {}),
  };
  return Object.fromEntries(
    Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
