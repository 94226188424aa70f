/** A stretch of time somebody has chosen. */
export interface Range {
  /** The preset's id, or `custom`. */
  readonly id: string;
  readonly from: Date;
  /** Undefined while the range goes on as time does. */
  readonly to: Date | undefined;
}

/** A range with a name. Days begin at midnight of the viewer's zone, or of UTC. */
export interface RangePreset {
  readonly id: string;
  readonly label: string;
  readonly at: (now: Date, utc: boolean) => readonly [from: Date, to?: Date];
}

const minuteMs = 60_000;
const ago = (ms: number): RangePreset["at"] => (now) => [new Date(now.getTime() - ms)];

/** Every preset, in the order they are offered. */
export const rangePresets: readonly RangePreset[] = [
  { id: "30m", label: "Last 30 minutes", at: ago(30 * minuteMs) },
  { id: "1h", label: "Last hour", at: ago(60 * minuteMs) },
  { id: "3h", label: "Last 3 hours", at: ago(180 * minuteMs) },
  { id: "24h", label: "Last 24 hours", at: ago(1_440 * minuteMs) },
  { id: "today", label: "Today", at: (now, utc) => [day(now, utc, 0)] },
  {
    id: "yesterday",
    label: "Yesterday",
    at: (now, utc) => [day(now, utc, -1), day(now, utc, 0)],
  },
  { id: "7d", label: "Last 7 days", at: ago(7 * 1_440 * minuteMs) },
  { id: "week", label: "This week", at: (now, utc) => [monday(now, utc, 0)] },
  {
    id: "last-week",
    label: "Last week",
    at: (now, utc) => [monday(now, utc, -7), monday(now, utc, 0)],
  },
  { id: "30d", label: "Last 30 days", at: ago(30 * 1_440 * minuteMs) },
  { id: "month", label: "This month", at: (now, utc) => [startOf(now, utc, "month")] },
  { id: "year", label: "This year", at: (now, utc) => [startOf(now, utc, "year")] },
];

/** The members of the address a range is kept in. */
export interface RangeQuery {
  readonly range: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

/** Reads a range; what makes no sense is the range `otherwise`. */
export function readRange(
  query: RangeQuery,
  { now, utc, otherwise }: {
    readonly now: Date;
    readonly utc: boolean;
    readonly otherwise: string;
  },
): Range {
  const from = date(query.from);
  const to = date(query.to);
  if (query.range === "custom" && from && (!to || from < to)) return { id: "custom", from, to };
  const preset = rangePresets.find(({ id }) => id === query.range) ??
    rangePresets.find(({ id }) => id === otherwise)!;
  const [start, end] = preset.at(now, utc);
  return { id: preset.id, from: start, to: end };
}

function date(text: string | null): Date | undefined {
  const ms = text ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

function day(now: Date, utc: boolean, shift: number): Date {
  return utc
    ? new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + shift))
    : new Date(now.getFullYear(), now.getMonth(), now.getDate() + shift);
}

function monday(now: Date, utc: boolean, shift: number): Date {
  const weekday = utc ? now.getUTCDay() : now.getDay();
  return day(now, utc, shift - (weekday + 6) % 7);
}

function startOf(now: Date, utc: boolean, what: "month" | "year"): Date {
  const month = what === "year" ? 0 : utc ? now.getUTCMonth() : now.getMonth();
  return utc ? new Date(Date.UTC(now.getUTCFullYear(), month)) : new Date(now.getFullYear(), month);
}
