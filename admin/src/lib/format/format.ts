const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

/** 12,345 */
export function formatCount(value: number): string {
  return whole.format(value);
}

/** 12.3K */
export function formatCompact(value: number): string {
  return compact.format(value);
}

/** Milliseconds for people: 840 ms, 2.4 s, 3 min. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** 12.3 % */
export function formatPercent(value: number): string {
  return `${value.toFixed(value > 0 && value < 10 ? 1 : 0)} %`;
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** 3 min. ago, in 2 days; "now" below a minute. */
export function formatRelative(at: number, now: number): string {
  const distance = at - now;
  for (const [unit, ms] of steps) {
    if (Math.abs(distance) >= ms) return relative.format(Math.round(distance / ms), unit);
  }
  return "now";
}

/** 2026-11-21 10:43:48 in the viewer's zone, or in UTC. */
export function formatTime(at: number, utc: boolean): string {
  const date = new Date(utc ? at : at - new Date(at).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19).replace("T", " ") + (utc ? " UTC" : "");
}

/** Nano-units of a currency for people: $1.20, $0.00266. Small amounts keep three digits that say something. */
export function formatMoney(nanoUnits: number, currency: string): string {
  const units = nanoUnits / 1e9;
  const size = Math.abs(units);
  const digits = size === 0 || size >= 1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(size)));
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.max(2, digits),
  }).format(units);
}

/** 2.4 MB */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`;
}
