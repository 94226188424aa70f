import type { Json, JsonObject } from "../contract/json.ts";
import { plainCopy } from "../kit/index.ts";

/** Live values rules can ask for. None of them waits; each reads what the process knows by now. */
export interface LiveValues {
  /** Percent of failed legs, 0 to 100; 0 without samples. */
  errorRate(query: ErrorRateQuery): number;
  /** How much of the limits is used, or null when the store is away or nothing limits. */
  capacityUsage(query: CapacityUsageQuery): JsonObject | null;
  /** Milliseconds to first content, or null without samples. */
  latency(query: LatencyQuery): number | null;
}

/** Whose live value is asked for; what is absent is the resource's primary. */
export interface LiveSubject {
  /** Id or name of the connection. */
  readonly connection: string | undefined;
  readonly model: string | undefined;
}

/** See `LiveValues.errorRate`. */
export interface ErrorRateQuery extends LiveSubject {
  /** 1 to 180. */
  readonly windowMinutes: number;
  /** Only this status counts as failed. */
  readonly statusCode: number | "any";
}

/** See `LiveValues.capacityUsage`. */
export interface CapacityUsageQuery extends LiveSubject {
  readonly period: CapacityPeriod;
}

/** See `LiveValues.latency`. */
export interface LatencyQuery extends LiveSubject {
  /** 0 to 100. */
  readonly percentile: number;
  /** 1 to 180. */
  readonly windowMinutes: number;
}

const periods = ["minute", "hour", "day", "week", "month", "lifetime"] as const;

/** A window limits are counted in. */
export type CapacityPeriod = typeof periods[number];

type Args = readonly (Json | undefined)[];

/** Functions that read live values, by name. They throw an Error for arguments they cannot take. */
export const liveFunctions: Readonly<
  Record<string, (args: Args, live: LiveValues) => Json | undefined>
> = {
  errorRate: ([windowMinutes, statusCode, ...subject], live) =>
    live.errorRate({
      windowMinutes: within("errorRate", "a window in minutes", windowMinutes ?? 10, 1, 180),
      statusCode: statusCode === undefined || statusCode === null || statusCode === "any"
        ? "any"
        : within("errorRate", "a status code", statusCode, 100, 599),
      ...subjectOf(subject),
    }),
  capacityUsage([period, ...subject], live) {
    const found = periods.find((name) => name === (period ?? "minute"));
    if (!found) throw new RangeError(`capacityUsage takes a period: ${periods.join(", ")}`);
    const usage = live.capacityUsage({ period: found, ...subjectOf(subject) });
    return usage === null ? null : plainCopy(usage);
  },
  latency: ([percentile, windowMinutes, ...subject], live) =>
    live.latency({
      percentile: within("latency", "a percentile", percentile ?? 50, 0, 100),
      windowMinutes: within("latency", "a window in minutes", windowMinutes ?? 10, 1, 180),
      ...subjectOf(subject),
    }),
};

function within(name: string, what: string, value: Json, least: number, most: number): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most) {
    return number;
  }
  throw new RangeError(`${name} takes ${what} from ${least} to ${most}`);
}

function subjectOf([connection, model]: Args): LiveSubject {
  return {
    connection: typeof connection === "string" && connection !== "" ? connection : undefined,
    model: typeof model === "string" && model !== "" ? model : undefined,
  };
}
