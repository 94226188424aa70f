import { type Context, ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api";
import type { Sampler } from "@opentelemetry/sdk-trace";

/** The samplers OTEL_TRACES_SAMPLER can name. */
export const samplerNames = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** See `samplerNames`. */
export type SamplerName = (typeof samplerNames)[number];

/**
 * Creates a sampler.
 *
 * @param ratio share of traces that is kept, 0 to 1; only the samplers with a ratio look at it
 */
export async function createSampler(name: SamplerName, ratio: number): Promise<Sampler> {
  const sdk = await import("@opentelemetry/sdk-trace");
  const root = name.endsWith("always_on")
    ? new sdk.AlwaysOnSampler()
    : name.endsWith("always_off")
    ? new sdk.AlwaysOffSampler()
    : new sdk.TraceIdRatioBasedSampler(ratio);
  return name.startsWith("parentbased_") ? new sdk.ParentBasedSampler({ root }) : root;
}

const anySpanId = "1".repeat(16);

/** The context in which a sampler sees what the caller decided; it looks at the flag alone, not at the span's id. */
export function parentOf(traceId: string, parentSampled: boolean | undefined): Context {
  if (parentSampled === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId: anySpanId,
    isRemote: true,
    traceFlags: parentSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  });
}
