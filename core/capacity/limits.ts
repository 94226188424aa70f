import type { Meter, MeterLevel, Period } from "../contract/capacity-store.ts";
import type { ConnectionView } from "../store/snapshot.ts";

/** Limits of one object: those that hold as they are, and those whose meter depends on the request. */
export interface Limits {
  readonly plain: readonly Meter[];
  readonly split: readonly SplitLimit[];
}

/** A limit that counts each value of a dimension for itself. */
export interface SplitLimit {
  readonly meter: Meter;
  /** Name of the dimension in meters: `source-ip`, or `metadata.` with the member's name. */
  readonly dimension: string;
  /** The metadata member; undefined for the source address. */
  readonly field: string | undefined;
}

/** What a limit can stand on: the part of connections, resources and API keys that limits are made of. */
export interface Limited {
  readonly capacity: readonly unknown[];
  /** Absent where limits always count. */
  readonly enforceCapacity?: boolean;
}

/** The limits of an object nothing limits. */
export const noLimits: Limits = { plain: [], split: [] };

const compiled = new WeakMap<Limited, Limits>();

/** The enabled and enforced limits of an object, compiled once per view of it. */
export function limitsOf(view: Limited, level: MeterLevel, subjectId: string): Limits {
  const known = compiled.get(view);
  if (known) return known;
  const limits = view.capacity.length === 0 || view.enforceCapacity === false
    ? noLimits
    : compile(view.capacity as readonly Entry[], level, subjectId);
  compiled.set(view, limits);
  return limits;
}

/** Tokens per minute a connection allows as a whole; undefined when it sets no such limit. */
export function minuteTokenLimit(connection: ConnectionView): number | undefined {
  const { plain } = limitsOf(connection, "connection", connection.connectionId);
  return plain.find(({ period }) => period === "minute")?.limit.tokens ?? undefined;
}

/** A stored capacity entry (domain.md §10). */
interface Entry {
  readonly period: Period;
  readonly requests?: number | null;
  readonly tokens?: number | null;
  readonly enabled?: boolean;
  readonly dimension?: "source-ip" | "metadata" | null;
  readonly dimensionField?: string | null;
}

function compile(entries: readonly Entry[], level: MeterLevel, subjectId: string): Limits {
  const plain = new Map<string, Meter>();
  const split = new Map<string, SplitLimit>();
  for (const { period, requests, tokens, enabled, dimension, dimensionField } of entries) {
    const limit = { requests: requests ?? null, tokens: tokens ?? null };
    if (enabled === false || (limit.requests === null && limit.tokens === null)) continue;
    const meter: Meter = { level, subjectId, period, limit };
    if (!dimension) {
      plain.set(period, tighter(plain.get(period), meter));
      continue;
    }
    const field = dimension === "metadata" ? dimensionField ?? "" : undefined;
    const name = field === undefined ? dimension : `metadata.${field}`;
    const key = `${period} ${name}`;
    split.set(key, { meter: tighter(split.get(key)?.meter, meter), dimension: name, field });
  }
  return { plain: [...plain.values()], split: [...split.values()] };
}

/** Overrides may repeat a stored entry: one counter, on each axis the lower limit. */
function tighter(known: Meter | undefined, next: Meter): Meter {
  if (!known) return next;
  return {
    ...next,
    limit: {
      requests: lower(known.limit.requests, next.limit.requests),
      tokens: lower(known.limit.tokens, next.limit.tokens),
    },
  };
}

function lower(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
