import { UsageError } from "./command.ts";

/** The moment an age before now. Throws a UsageError for a text that is no age. */
export function momentBefore(age: string, nowMs: number = Date.now()): string {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(age) ?? [];
  if (count === undefined) {
    throw new UsageError(`--since takes an age such as 30m, 6h or 7d, not "${age}"`);
  }
  const unitMs: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 };
  return new Date(nowMs - Number(count) * unitMs[unit]!).toISOString();
}
