/** What plugins build on: streams of events, JSON text, estimates, timers, pooled HTTP, secrets. */

export * from "./assemble-parts.ts";
export * from "./calendar-window.ts";
export * from "./check-reservation.ts";
export * from "./downlevel-schema.ts";
export * from "./egress.ts";
export * from "./estimate.ts";
export * from "./frame-text.ts";
export * from "./framing.ts";
export * from "./http.ts";
export * from "./idle-timer.ts";
export * from "./json-text.ts";
export * from "./json-value.ts";
export * from "./list-models-failure.ts";
export * from "./model-list.ts";
export * from "./pattern.ts";
export * from "./rate-limits.ts";
export * from "./read-body.ts";
export * from "./reasoning-mark.ts";
export * from "./request-shape.ts";
export type { Resolve, ResolveDone } from "./resolve.ts";
export type { SchemaTarget } from "./schema-target.ts";
export * from "./secret.ts";
export * from "./service-endpoint.ts";
export * from "./signature-marker.ts";
export * from "./sse.ts";
export * from "./tool-names.ts";
export * from "./wildcard.ts";
