import type { JsonObject } from "../contract/json.ts";

/** Members of `now`, in UTC. */
export interface ClockVariables {
  read(name: string): string | number | undefined;
  all(): JsonObject;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The moment as rules see it. Each member is computed when it is read; a calendar is needed for the date alone. */
export function clockVariables(now: number): ClockVariables {
  function read(name: string): string | number | undefined {
    switch (name) {
      case "hour":
        return Math.floor((now % dayMs) / hourMs);
      case "minute":
        return Math.floor((now % hourMs) / minuteMs);
      case "weekday":
        // Monday is 1 and Sunday 7; day 0 was a Thursday.
        return (Math.floor(now / dayMs) + 3) % 7 + 1;
      case "date":
        return new Date(now).toISOString().slice(0, 10);
    }
    return undefined;
  }
  return {
    read,
    all: () =>
      Object.fromEntries(["hour", "minute", "weekday", "date"].map((name) => [name, read(name)])),
  };
}
