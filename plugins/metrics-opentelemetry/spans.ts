import {
  type Attributes,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Span } from "@vmx/core/contract";
import { createTraceState } from "@opentelemetry/api";
import { hrTime } from "./resource-metrics.ts";

const scope = { name: "vmx-gateway" };
const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

/** A span of the gateway in the shape OpenTelemetry's exporters take. */
export function toReadableSpan(span: Span, resource: Resource): ReadableSpan {
  const { attributes, endAt, failed, kind, name, parentSpanId, startAt } = span;
  const contextOf = (spanId: string, isRemote: boolean): SpanContext => ({
    traceId: span.traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote,
    ...(span.traceState === undefined ? {} : { traceState: createTraceState(span.traceState) }),
  });
  const context = contextOf(span.spanId, false);
  return {
    name,
    kind: kinds[kind],
    spanContext: () => context,
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: contextOf(parentSpanId, span.isParentRemote ?? false) }),
    startTime: hrTime(startAt),
    endTime: hrTime(endAt),
    duration: hrTime(Math.max(0, endAt - startAt)),
    status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: attributes as Attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
