import type { AuditDetail } from "@vmx/sdk";
import { legMarkOf } from "#lib/audit/outcome.ts";
import { formatDuration } from "#lib/format/format.ts";

/** What happens in a stretch of a lane. */
export type SegmentKind = "routing" | "gate" | "wait" | "stream" | "failed" | "pause";

/** A stretch of a lane, in milliseconds since the request arrived. */
export interface Segment {
  readonly kind: SegmentKind;
  readonly label: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A lane of the timeline: the request itself, or a leg. */
export interface Lane {
  readonly label: string;
  readonly outcome: ReturnType<typeof legMarkOf> | undefined;
  readonly segments: readonly Segment[];
  /** Answers of the provider that made the leg try again. */
  readonly retries: readonly { readonly atMs: number; readonly label: string }[];
  /** When the first token came. */
  readonly firstTokenMs: number | undefined;
  /** The lane in a sentence. */
  readonly sentence: string;
}

/** The whole picture. */
export interface TimelineOf {
  readonly totalMs: number;
  readonly lanes: readonly Lane[];
}

/** Works out where everything stands; legs of a request that was interrupted end with it. */
export function timelineOf(
  { timestamp, totalDurationMs, routingDurationMs, legs }: Pick<
    AuditDetail,
    "timestamp" | "totalDurationMs" | "routingDurationMs" | "legs"
  >,
): TimelineOf {
  const arrivedAt = Date.parse(timestamp);
  const since = (at: string) => Math.max(0, Date.parse(at) - arrivedAt);
  const ends = legs.map((leg) => since(leg.startedAt) + (leg.durationMs ?? 0));
  const totalMs = Math.max(totalDurationMs ?? 0, ...ends, 0.001);
  const firstLegMs = legs[0] ? since(legs[0].startedAt) : totalMs;
  const routingMs = Math.min(routingDurationMs ?? 0, totalMs);
  const arrival: Lane = {
    label: "Arrival and routing",
    outcome: undefined,
    retries: [],
    firstTokenMs: undefined,
    segments: [{
      kind: "routing",
      label: `before the first leg, routing ${formatDuration(routingMs)}`,
      startMs: 0,
      endMs: Math.min(totalMs, Math.max(firstLegMs, routingMs)),
    }],
    sentence: legs.length === 0
      ? `No leg was called; the request ended after ${formatDuration(totalMs)}.`
      : `The first leg began after ${formatDuration(firstLegMs)}.`,
  };
  const lanes = legs.map((leg): Lane => {
    const startMs = Math.min(since(leg.startedAt), totalMs);
    const endMs = Math.min(totalMs, startMs + (leg.durationMs ?? totalMs - startMs));
    const calledMs = Math.min(endMs, startMs + (leg.gate?.durationMs ?? 0));
    const served = leg.outcome === "ok" || leg.outcome === "partial" || leg.outcome === "aborted";
    const firstTokenMs = leg.timeToFirstTokenMs === null
      ? undefined
      : Math.min(endMs, calledMs + leg.timeToFirstTokenMs);
    const pauses = leg.retries.map(({ at, statusCode, delayMs }) => ({
      atMs: Math.min(endMs, since(at)),
      untilMs: Math.min(endMs, since(at) + delayMs),
      label: `answered ${statusCode}, tried again after ${formatDuration(delayMs)}`,
    }));
    const mark = legMarkOf(leg);
    const segments: Segment[] = [];
    const add = (kind: SegmentKind, label: string, from: number, to: number) => {
      if (to > from) {
        segments.push({
          kind,
          label: `${label} ${formatDuration(to - from)}`,
          startMs: from,
          endMs: to,
        });
      }
    };
    add("gate", "gate", startMs, calledMs);
    add(
      served ? "wait" : "failed",
      served ? "waiting for the first token" : "failed after",
      calledMs,
      firstTokenMs ?? endMs,
    );
    if (firstTokenMs !== undefined) add("stream", "answer", firstTokenMs, endMs);
    for (const pause of pauses) {
      add("pause", "waiting before another try", pause.atMs, pause.untilMs);
    }
    return {
      label: `${leg.kind} ${leg.connectionName ?? leg.provider}/${leg.model}`,
      outcome: mark,
      segments,
      retries: pauses.map(({ atMs, label }) => ({ atMs, label })),
      firstTokenMs,
      sentence: `${mark.text} after ${formatDuration(endMs - startMs)}, from ${
        formatDuration(startMs)
      } on.${segments.length > 0 ? ` ${segments.map(({ label }) => label).join(", ")}.` : ""}${
        pauses.map(({ label }) => ` It ${label}.`).join("")
      }`,
    };
  });
  return { totalMs, lanes: [arrival, ...lanes] };
}
