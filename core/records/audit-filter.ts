import type { auditFilterQuery } from "@vmx/schemas";
import type Type from "typebox";
import { matchesWildcard } from "../kit/index.ts";
import { auditColumn } from "./audit-columns.ts";
import type { LiveRow } from "./live.ts";
import { timeOf } from "./spool/spool.ts";

/** What rows are chosen by; metadata stands apart. */
export type AuditFilter =
  & Omit<Type.Static<Type.TObject<typeof auditFilterQuery>>, "from" | "to">
  & {
    readonly from?: Date | undefined;
    readonly to?: Date | undefined;
    readonly metadata: Readonly<Record<string, string>>;
    /** What the wildcard of `model` stands for, where it was looked up. */
    readonly models?: readonly string[];
  };

/** The rows of one environment that may be seen. */
export interface AuditScope {
  readonly environmentId: string;
  /** Nothing older is shown, whatever is still stored. */
  readonly oldest: Date;
}

/** Conditions of a statement with their values, which are counted from $1. */
export interface Where {
  readonly sql: string;
  readonly values: unknown[];
}

const dayMs = 86_400_000;
const equal = [
  "type",
  "endpoint",
  "status",
  "resourceId",
  "connectionId",
  "provider",
  "apiKeyId",
  "userId",
  "correlationId",
  "batchId",
  "failureReason",
] as const;

/** Writes a filter as SQL. Without `from` it reaches back 24 hours, or to the request it names. */
export function filterSql(filter: AuditFilter, scope: AuditScope, now: number): Where {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = (condition: (place: string) => string, value: unknown): void => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  add((place) => `environment_id = ${place}`, scope.environmentId);
  if (filter.requestId !== undefined) {
    add((place) => `request_id = ${place}`, filter.requestId);
    // The id tells the time, and so the one partition of each class that can hold it.
    add((place) => `timestamp = ${place}`, new Date(timeOf(filter.requestId)));
  }
  const from = filter.from ??
    (filter.requestId === undefined ? new Date(now - dayMs) : scope.oldest);
  add((place) => `timestamp >= ${place}`, from > scope.oldest ? from : scope.oldest);
  if (filter.to) add((place) => `timestamp < ${place}`, filter.to);
  for (const member of equal) {
    const value = filter[member];
    if (value !== undefined) add((place) => `${auditColumn(member)} = ${place}`, value);
  }
  if (filter.statusCode !== undefined) {
    const [low, high] = statusRange(filter.statusCode);
    add((place) => `status_code >= ${place}`, low);
    add((place) => `status_code <= ${place}`, high);
  }
  if (filter.model !== undefined) {
    if (isWildcard(filter.model)) add((place) => `model like ${place}`, likePattern(filter.model));
    else add((place) => `model = ${place}`, filter.model);
  }
  if (filter.models !== undefined) add((place) => `model = any(${place})`, filter.models);
  if (filter.label !== undefined) {
    add((place) => `api_key_labels ? ${place}`, filter.label);
    conditions.push("api_key_labels <> '[]'");
  }
  if (filter.minDurationMs !== undefined) {
    add((place) => `total_duration_ms >= ${place}`, filter.minDurationMs);
  }
  if (filter.warnings) conditions.push("warnings <> '[]'");
  if (filter.fallback) conditions.push(`legs @> '[{"kind": "fallback"}]'`);
  if (Object.keys(filter.metadata).length > 0) {
    add((place) => `metadata @> ${place}::jsonb`, JSON.stringify(filter.metadata));
    conditions.push("metadata <> '{}'");
  }
  return { sql: conditions.join(" and "), values };
}

/** The same filter for rows as they happen; times do not matter to them. */
export function filterMatches(filter: AuditFilter): (row: LiveRow) => boolean {
  const { model } = filter;
  const [low, high] = filter.statusCode === undefined ? [] : statusRange(filter.statusCode);
  return (row) => {
    // What a request will become is not known while it runs.
    const running = row.status === null;
    if (filter.requestId !== undefined && row.requestId !== filter.requestId) return false;
    for (const member of equal) {
      const value = filter[member];
      if (value === undefined) continue;
      if (row[member] !== value && !(running && row[member] === null)) return false;
    }
    if (filter.label !== undefined && !row.apiKeyLabels.includes(filter.label)) return false;
    for (const [key, value] of Object.entries(filter.metadata)) {
      if (row.metadata[key] !== value) return false;
    }
    if (running) return true;
    if (low !== undefined && !(row.statusCode! >= low && row.statusCode! <= high!)) return false;
    if (model !== undefined && !matchesWildcard(model, row.model ?? "")) return false;
    if ((filter.minDurationMs ?? 0) > (row.totalDurationMs ?? 0)) return false;
    if (filter.warnings && row.warnings.length === 0) return false;
    return !filter.fallback || row.legs.some(({ kind }) => kind === "fallback");
  };
}

function statusRange(text: string): [number, number] {
  if (!text.endsWith("xx")) return [Number(text), Number(text)];
  const first = Number(text[0]) * 100;
  return [first, first + 99];
}

/** Whether a model is named by a pattern. */
export function isWildcard(model: string): boolean {
  return /[*?]/.test(model);
}

function likePattern(wildcard: string): string {
  return wildcard.replace(/[\\%_]/g, "\\$&").replaceAll("*", "%").replaceAll("?", "_");
}
