import {
  type Amount,
  GatewayError,
  type JsonObject,
  type MeterLevel,
  type Refusal,
} from "../contract/index.ts";
import { calendarWindow } from "../kit/calendar-window.ts";

/** What a refusal is told with. */
export interface RefusalContext {
  readonly amount: Amount;
  /** Unix milliseconds. */
  readonly now: number;
  /** Name of a meter's subject, or undefined when the caller must not see it. */
  readonly nameOf: (level: MeterLevel, subjectId: string) => string | undefined;
  /** Whether the caller may see the pools beside its own. */
  readonly showPools: boolean;
  /** Tokens per minute of the connection; set where pools apply. */
  readonly poolLimit: number | undefined;
  /** Seconds a pool's share rests after it grew. */
  readonly cooldownSeconds: number;
}

/** A longer wait is not worth an SDK's own retry. */
const longestRetrySeconds = 60;
const tieOrder: readonly MeterLevel[] = ["resource", "api-key", "connection", "batch", "pool"];
const shareUnits = 100_000;

interface Ranked {
  readonly refusal: Refusal;
  /** True when the request alone exceeds the limit. */
  readonly impossible: boolean;
  /** Null when the window never ends. */
  readonly resetAt: number | null;
}

/**
 * The error a refusal makes of a leg. Of several failing meters the one that passes last is told: waiting for another
 * would be useless.
 */
export function refusalError(refused: readonly Refusal[], context: RefusalContext): GatewayError {
  const last = refused.map((refusal) => rank(refusal, context)).sort(latestFirst)[0]!;
  const waitMs = last.resetAt === null ? undefined : Math.max(0, last.resetAt - context.now);
  const seconds = waitMs === undefined ? undefined : Math.max(1, Math.ceil(waitMs / 1000));
  const pointless = last.impossible || seconds === undefined || seconds > longestRetrySeconds;
  const { refusal } = last;
  return new GatewayError(
    refusal.gate === "capacity" ? "resource_exhausted" : "prioritization_gate_denied",
    refusal.gate === "capacity"
      ? capacityMessage(refusal, last, seconds, context)
      : poolMessage(refusal, last, seconds, context),
    {
      details: {
        ...(refusal.gate === "capacity"
          ? capacityDetails(refusal, context)
          : poolDetails(refusal, context)),
        resetAt: last.resetAt === null ? null : new Date(last.resetAt).toISOString(),
        ...(last.impossible ? { impossible: true } : {}),
      },
      ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
      shouldRetry: !pointless,
    },
  );
}

type CapacityRefusal = Extract<Refusal, { gate: "capacity" }>;
type PoolRefusal = Extract<Refusal, { gate: "prioritization" }>;

function rank(refusal: Refusal, context: RefusalContext): Ranked {
  const { amount, now } = context;
  if (refusal.gate === "capacity") {
    const { meter, axis, resetAt } = refusal;
    return { refusal, impossible: amount[axis] > meter.limit[axis]!, resetAt };
  }
  const minuteEnd = calendarWindow("minute", now).end!;
  const most = refusal.pool === undefined
    ? context.poolLimit ?? Infinity
    : (context.poolLimit ?? Infinity) * refusal.max / shareUnits;
  return {
    refusal,
    impossible: amount.tokens > most,
    resetAt: refusal.rule === "share"
      ? Math.min(minuteEnd, now + context.cooldownSeconds * 1000)
      : minuteEnd,
  };
}

function latestFirst(a: Ranked, b: Ranked): number {
  if (a.impossible !== b.impossible) return a.impossible ? -1 : 1;
  const [first, second] = [a.resetAt ?? Infinity, b.resetAt ?? Infinity];
  if (first !== second) return second - first;
  return tieOrder.indexOf(levelOf(a.refusal)) - tieOrder.indexOf(levelOf(b.refusal));
}

function levelOf(refusal: Refusal): MeterLevel {
  return refusal.gate === "capacity" ? refusal.meter.level : "pool";
}

function capacityDetails({ meter, axis, used }: CapacityRefusal, context: RefusalContext) {
  const { level, subjectId, period, dimension, limit } = meter;
  const subjectName = context.nameOf(level, subjectId);
  return {
    gate: "capacity",
    level,
    subjectId,
    ...(subjectName === undefined ? {} : { subjectName }),
    ...(dimension ? { dimension: dimension.name, dimensionValue: dimension.value } : {}),
    period,
    axis,
    limit: limit[axis],
    used,
    requested: context.amount[axis],
  } satisfies JsonObject;
}

function poolDetails(refusal: PoolRefusal, { amount, showPools }: RefusalContext) {
  return {
    gate: "prioritization",
    pool: refusal.pool ?? null,
    min: percent(refusal.min),
    current: percent(refusal.current),
    max: percent(refusal.max),
    usedByPool: refusal.used,
    requested: amount.tokens,
    rule: refusal.rule.replace("-", "_"),
    ...(showPools
      ? {
        otherPools: refusal.others.map(({ name, min, current, max }) => ({
          name,
          min: percent(min),
          current: percent(current),
          max: percent(max),
        })),
      }
      : {}),
  } satisfies JsonObject;
}

function capacityMessage(
  { meter, axis, used }: CapacityRefusal,
  { impossible }: Ranked,
  seconds: number | undefined,
  { amount, nameOf }: RefusalContext,
): string {
  const { level, subjectId, period, dimension } = meter;
  const name = nameOf(level, subjectId);
  const subject = [
    level === "api-key" ? "API key" : level,
    ...(name === undefined ? [] : [`"${name}"`]),
    ...(dimension ? [`for ${dimension.name} "${dimension.value}"`] : []),
  ].join(" ");
  const limit = meter.limit[axis]!;
  const window = period === "lifetime"
    ? "in its lifetime"
    : period === "day"
    ? "today"
    : `this ${period}`;
  if (impossible) {
    return `Capacity exceeded: the request needs ${amount[axis]} ${axis}, more than the ${limit} ` +
      `that ${subject} allows ${window}`;
  }
  const needs = axis === "tokens" ? `, the request needs ${amount.tokens}` : "";
  const reset = seconds === undefined ? "" : `, resets in ${seconds} s`;
  return `Capacity reached: ${subject} ${used} of ${limit} ${axis} ${window}${needs}${reset}`;
}

function poolMessage(
  { pool, rule, current, max, used }: PoolRefusal,
  { impossible }: Ranked,
  seconds: number | undefined,
  { amount, poolLimit }: RefusalContext,
): string {
  const subject = pool === undefined ? "traffic of no pool" : `pool "${pool}"`;
  if (impossible && poolLimit !== undefined && pool !== undefined) {
    const most = Math.floor(poolLimit * max / shareUnits);
    return `Prioritization refused ${amount.tokens} tokens to ${subject}: its maximum of ${
      percent(max)
    } % ` +
      `is ${most} tokens a minute, less than the request needs`;
  }
  const why = rule === "share"
    ? `its share of ${percent(current)} % is used up`
    : rule === "maximum"
    ? `its maximum of ${percent(max)} % is reached`
    : "the rest is kept for the minimums of other pools";
  const wait = impossible || seconds === undefined ? "" : `; try again in ${seconds} s`;
  return `Prioritization refused ${amount.tokens} tokens to ${subject} after ${used} this minute: ${why}${wait}`;
}

function percent(units: number): number {
  return units / 1000;
}
