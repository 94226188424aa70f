import type { ResponseHeaders } from "../contract/index.ts";
import type { Exchange } from "./exchange.ts";
import type { LegRecord } from "./leg.ts";

const maxValueLength = 256;
const maxEventsInHeaders = 20;
const maxWarningBytes = 2048;

/**
 * The `x-vmx-*` headers of an answer or an error, and what may be handed on of the provider's own headers.
 *
 * @param upstream headers of the serving (else last) leg's provider
 */
export function answerHeaders(
  exchange: Exchange,
  leg: LegRecord | undefined,
  upstream: ResponseHeaders = {},
): Record<string, string> {
  const headers: Record<string, string> = { "x-vmx-request-id": exchange.requestId };
  const { envelope, target } = exchange;
  if (envelope.correlationId) headers["x-vmx-correlation-id"] = clean(envelope.correlationId);
  for (const [key, value] of Object.entries(envelope.metadata)) {
    headers[`x-vmx-metadata-${key.toLowerCase()}`] = clean(value);
  }
  if (target) {
    headers["x-vmx-resource-id"] = target.kind === "resource"
      ? target.resource.resourceId
      : "ephemeral";
  }
  if (leg) {
    headers["x-vmx-model"] = clean(leg.model);
    headers["x-vmx-provider"] = clean(leg.provider);
    headers["x-vmx-connection-id"] = leg.connectionId;
    if (leg.gate && leg.gate.result !== "skipped") {
      headers["x-vmx-gate-duration-ms"] = String(Math.round(leg.gate.durationMs * 100) / 100);
    }
  }
  if (exchange.routing?.evaluated) {
    headers["x-vmx-routing-duration-ms"] = String(exchange.routing.durationMs);
  }
  if (exchange.events.length > 0) addEvents(headers, exchange);
  addWarnings(headers, exchange, leg);
  headers["x-vmx-revision"] = String(exchange.snapshot.revision);
  handOn(headers, upstream, exchange.services.redact);
  headers["x-request-id"] ??= exchange.requestId;
  const { requestIdHeader } = exchange.dialect.inbound;
  if (requestIdHeader) headers[requestIdHeader] = headers["x-request-id"];
  return headers;
}

/** Hands on what callers' libraries read. A service may repeat in them what it was sent, credentials included. */
function handOn(
  headers: Record<string, string>,
  upstream: ResponseHeaders,
  redact: (text: string) => string,
): void {
  let all = "";
  const names: string[] = [];
  for (const name in upstream) {
    if (name !== "x-request-id" && !name.startsWith("x-ratelimit-")) continue;
    names.push(name);
    all += `${upstream[name] ?? ""}\n`;
  }
  // Nearly always there is nothing to take out, and one look at all of them tells so.
  const isSafe = redact(all) === all;
  for (const name of names) {
    const value = upstream[name] ?? "";
    headers[name] = clean(isSafe ? value : redact(value));
  }
}

/** Makes a text fit for a header: ASCII, no control characters, at most 256 characters. */
export function clean(value: string): string {
  const ascii = /^[\x20-\x7e]*$/.test(value) ? value : value.replace(/[^\x20-\x7e]/g, "");
  return ascii.length > maxValueLength ? ascii.slice(0, maxValueLength) : ascii;
}

function addEvents(headers: Record<string, string>, exchange: Exchange): void {
  headers["x-vmx-event-count"] = String(exchange.events.length);
  exchange.events.slice(0, maxEventsInHeaders).forEach((event, index) => {
    const name = `x-vmx-event-${index}`;
    headers[`${name}-type`] = event.type;
    headers[`${name}-timestamp`] = event.timestamp;
    if (event.type === "fallback") {
      headers[`${name}-fallback-failed-model`] = clean(event.data.model);
      headers[`${name}-fallback-failed-provider`] = clean(event.data.provider);
      headers[`${name}-fallback-failure-reason`] = event.data.failureReason;
      headers[`${name}-fallback-status-code`] = String(event.data.statusCode);
    } else {
      headers[`${name}-routing-original-provider`] = clean(event.data.originalProvider);
      headers[`${name}-routing-original-model`] = clean(event.data.originalModel);
      headers[`${name}-routing-routed-provider`] = clean(event.data.routedProvider);
      headers[`${name}-routing-routed-model`] = clean(event.data.routedModel);
    }
  });
}

function addWarnings(
  headers: Record<string, string>,
  exchange: Exchange,
  leg: LegRecord | undefined,
): void {
  const warnings = visibleWarnings(exchange, leg);
  if (warnings.length === 0) return;
  const listed: string[] = [];
  let size = 0;
  for (const { code, path } of warnings) {
    const entry = clean(`${code};${path}`);
    size += entry.length + 2;
    if (size > maxWarningBytes) break;
    listed.push(entry);
  }
  const left = warnings.length - listed.length;
  headers["x-vmx-warnings"] = left > 0 ? `${listed.join(", ")}, +${left}` : listed.join(", ");
}

/** Warnings the caller is shown: none where the resource or environment only wants them on record. */
export function visibleWarnings(exchange: Exchange, leg: LegRecord | undefined) {
  if (lossRule(exchange) === "allow") return [];
  return leg ? [...exchange.warnings, ...leg.warnings] : exchange.warnings;
}

/** What a translation loss means for this request. */
export function lossRule(exchange: Exchange): "allow" | "warn" | "reject" {
  const own = exchange.target?.kind === "resource" ? exchange.target.resource.onLoss : null;
  return own ?? exchange.caller?.environment.settings.onLoss ?? "warn";
}
