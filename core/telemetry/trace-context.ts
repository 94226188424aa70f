import { randomBytes } from "node:crypto";

/** The trace a request belongs to (W3C Trace Context). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The caller's span; undefined when the caller brought none. */
  readonly parentSpanId: string | undefined;
  /** Whether the caller keeps the trace; undefined when the caller brought none. */
  readonly parentSampled: boolean | undefined;
  /** The caller's `tracestate`. */
  readonly state: string | undefined;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeroTrace = "0".repeat(32);
const zeroSpan = "0".repeat(16);
const sampledFlag = 1;
const maxStateLength = 512;

/**
 * Reads the caller's trace context; what is malformed counts as none, as the recommendation asks.
 * A version this code does not know is read like version 00.
 */
export function readTraceContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext {
  const match = traceparent === undefined ? null : form.exec(traceparent.trim());
  const [, version, traceId = "", spanId = "", flags = "", rest] = match ?? [];
  const valid = match !== null && version !== "ff" && !(version === "00" && rest) &&
    traceId !== zeroTrace && spanId !== zeroSpan;
  if (!valid) {
    return {
      traceId: randomHex(16),
      parentSpanId: undefined,
      parentSampled: undefined,
      state: undefined,
    };
  }
  return {
    traceId,
    parentSpanId: spanId,
    parentSampled: (Number.parseInt(flags, 16) & sampledFlag) === sampledFlag,
    state: tracestate !== undefined && tracestate.length <= maxStateLength ? tracestate : undefined,
  };
}

/** The header that makes a call part of a trace. */
export function traceparent(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** A new span's id. */
export function createSpanId(): string {
  return randomHex(8);
}

/** Random bytes that are not all zero. */
function randomHex(bytes: number): string {
  for (;;) {
    const hex = randomBytes(bytes).toString("hex");
    if (!/^0+$/.test(hex)) return hex;
  }
}
